//! The one list of cases.

/// Makes a `#[test]` of every case of the contract, on the store that `$make` gives.
///
/// `$make` names an `async fn() -> (G, Arc<dyn Store>)` of the module in which the macro is called: a new, empty store
/// for each call, and a guard that is kept until the case is over.
#[macro_export]
macro_rules! contract_suite {
    ($make:ident) => {
        $crate::contract_tests! { $make
            store: [
                a_new_store_answers_and_needs_no_migration,
                a_unit_reads_what_it_wrote_itself,
                a_unit_that_errs_leaves_nothing,
                a_unit_that_rolls_back_leaves_nothing_and_is_no_error,
                a_unit_that_panics_leaves_nothing_and_the_store_goes_on,
                a_reading_that_panics_leaves_the_store_going,
                units_at_once_get_their_own_results,
                a_reading_sees_one_consistent_view,
                a_reading_begun_after_a_write_sees_it,
                a_unit_goes_on_after_a_collision,
                an_operation_key_is_found_once_its_unit_is_stored,
                old_operation_keys_are_forgotten,
                a_noted_write_answers_what_was_stored,
                a_key_is_settled_as_it_was_stored_however_often,
            ]
            companies: [
                an_added_company_is_found_with_version_1,
                equal_companies_never_collide,
                an_unknown_company_is_none,
                revising_replaces_every_detail_and_counts_the_version,
                revising_an_old_version_is_stale_and_changes_nothing,
                of_many_who_revise_the_same_version_one_succeeds,
                a_discarded_company_is_found_nowhere,
                a_discarded_company_leaves_its_customers_without_company,
                the_list_is_ordered_by_reading_or_name_then_id,
                pages_of_equal_keys_have_no_gap_and_no_double,
                a_page_tells_whether_there_is_a_next_one,
                the_list_counts_customers_outside_the_trash,
                a_prefix_finds_the_beginning_of_name_and_reading,
                a_prefix_takes_every_sign_literally,
                companies_of_the_same_folded_name_come_oldest_first,
            ]
            customers: [
                an_added_customer_is_found_with_version_1,
                equal_customers_never_collide,
                an_unknown_customer_is_none,
                a_company_that_is_not_there_or_in_the_trash_is_missing,
                revising_replaces_every_detail_and_counts_the_version,
                revising_an_old_version_is_stale_and_changes_nothing,
                of_many_who_revise_the_same_version_one_succeeds,
                a_discarded_customer_is_found_nowhere,
                the_list_is_ordered_by_reading_or_name_then_id,
                pages_of_equal_keys_have_no_gap_and_no_double,
                the_list_of_a_company_holds_its_customers_only,
                who_carries_an_id_comes_in_the_customers_order,
                a_line_shows_the_link_of_the_customers_talks,
            ]
            customer_search: [
                a_name_is_found_with_and_without_blank,
                a_reading_is_found_in_every_kana,
                an_e_mail_is_found_in_any_letter_case_and_width,
                a_phone_is_found_with_any_dash_and_width,
                a_user_id_is_found_as_typed,
                an_empty_form_matches_nothing,
                a_prefix_takes_every_sign_literally,
                a_search_is_a_list_like_any_other,
            ]
            activities: [
                an_added_message_is_found_as_it_was,
                instants_keep_their_milliseconds_and_their_order,
                ids_come_in_the_order_given,
                a_customer_that_does_not_exist_is_missing,
                the_newest_come_first_and_pages_have_no_gap_and_no_double,
                what_was_added_after_a_message_misses_nothing,
                a_companys_messages_are_those_of_its_customers,
                a_deleted_message_is_not_found_until_it_is_brought_back,
                only_a_deleted_message_can_be_brought_back,
                messages_of_a_customer_in_the_trash_are_not_found,
                a_message_of_ours_shows_what_became_of_it,
            ]
            activity_search: [
                a_message_is_found_by_any_part_of_what_it_says,
                width_case_kana_and_blanks_make_no_difference,
                every_word_must_be_said_and_its_signs_stand_together,
                a_single_sign_is_found_wherever_it_stands,
                any_text_can_be_said_and_looked_for,
                what_was_recorded_last_comes_first_and_pages_have_no_gap_and_no_double,
                messages_are_found_on_pages_that_are_seen_only,
                a_look_ends_and_tells_where_to_go_on,
                what_is_deleted_or_in_the_trash_is_not_found_until_it_is_back,
                erased_messages_are_found_no_more,
                everything_added_here_is_in_the_index,
            ]
            attachments: [
                an_added_attachment_is_found_as_it_was,
                a_callback_has_one_attachment,
                the_attachment_whose_turn_is_next_comes_first,
                a_stored_attachment_has_its_bytes_and_waits_no_more,
                an_attachment_is_tried_again_later,
                only_a_waiting_attachment_is_settled,
                a_missing_attachment_can_be_asked_for_again,
                a_message_shows_its_attachment,
                a_message_tells_whether_it_was_said_in_a_room,
            ]
            conversations: [
                an_opened_conversation_is_unconfirmed_since_no_event,
                ids_come_in_the_order_of_the_keys,
                opening_again_changes_nothing,
                exactly_one_exists_however_many_open_it_at_once,
                the_conversations_with_people_are_found,
                an_older_event_does_not_change_the_link,
                resetting_sets_the_link_whatever_the_time,
                a_received_message_confirms_until_it_is_deleted,
                a_sent_message_confirms_once_it_was_accepted,
            ]
            holdings: [
                what_a_member_has_in_hand_is_counted,
                owned_customers_come_by_id_without_the_trash,
                handled_conversations_come_by_id,
            ]
            backlog: [
                nothing_waits_in_an_empty_store,
                callbacks_and_files_wait_until_they_are_settled,
                messages_wait_then_are_on_their_way_then_done,
            ]
            board: [
                a_saved_standing_is_found_as_it_was_but_for_its_version,
                each_column_has_its_order,
                rooms_have_no_line,
                a_tab_shows_its_lines,
                pages_of_equal_times_have_no_gap_and_no_double,
                a_line_shows_who_it_is_and_who_has_it,
                unknown_senders_come_newest_first,
                a_line_tells_how_far_our_last_message_got,
            ]
            trash: [
                what_was_deleted_lies_in_the_trash_newest_first,
                what_is_restored_is_as_it_was_and_a_company_without_its_people,
                who_shares_an_address_is_named_field_by_field,
                a_purged_company_is_gone,
            ]
            erasures: [
                a_receipt_tells_what_was_erased_and_forgets_whom,
                an_erasure_gets_one_step_farther_at_a_time_and_never_back,
                a_talk_goes_with_a_person_unless_another_carries_the_address,
                an_erased_page_takes_what_stands_nowhere_else,
                an_erased_talk_is_nobodys,
                the_others_keep_everything,
                who_was_erased_is_listed_once,
                a_dossier_holds_what_is_kept_about_a_person_and_nothing_of_others,
            ]
            backups: [
                a_backup_is_noted_from_its_beginning_to_its_end,
                the_newest_good_backup_is_found_behind_failed_ones,
                backups_elsewhere_are_told_from_those_on_the_shelf,
                old_backups_are_forgotten,
                a_pause_lasts_until_it_is_ended,
                what_belongs_to_a_moment_is_forgotten_and_events_begin_anew,
            ]
            retention: [
                a_rule_replaces_the_one_before,
                a_hold_holds_until_it_is_lifted,
                a_run_is_remembered_with_what_it_took,
                old_messages_and_notes_go_apart_and_never_from_a_held_page,
                bodies_go_once_they_are_recorded_and_old_enough,
                strangers_who_were_silent_long_are_found,
            ]
            waitings: [
                a_conversation_waits_at_most_once_at_a_time,
                an_ended_waiting_is_kept_as_it_was,
                an_end_is_taken_back_unless_another_has_begun,
            ]
            notes: [
                a_note_is_kept_once_and_shows_its_author,
                a_note_on_a_page_is_shown_there,
                a_draft_is_kept_for_each_member_and_conversation,
                what_a_member_has_seen_is_unread_no_more,
            ]
            carriers: [
                unclaimed_callbacks_come_oldest_first_until_they_are_claimed,
                what_a_page_lacks_is_told_once,
                a_message_to_nobody_is_shown_on_no_page,
                the_oldest_message_after_a_time_is_found,
                the_last_message_is_the_newest_that_stands,
                a_claim_is_due_until_it_is_not,
                a_sender_becomes_one_customer_however_many_register_at_once,
                an_owner_is_a_member,
            ]
            receipts: [
                a_kept_callback_waits_with_its_bytes,
                the_same_callback_is_kept_once,
                the_same_callback_at_the_same_moment_is_kept_once,
                many_callbacks_at_once_are_all_kept,
                the_same_callback_twice_in_a_unit_is_kept_once,
                the_oldest_pending_come_first,
                settling_takes_callbacks_out_of_the_waiting_ones,
                what_is_settled_stays_as_it_is,
                what_was_not_understood_can_be_opened_again,
                of_recorders_at_once_one_settles,
                a_message_refers_to_its_callback,
                the_newest_callback_tells_when_it_came,
            ]
            sends: [
                a_queued_message_is_found_as_it_was,
                the_same_key_queues_once,
                the_same_key_at_the_same_moment_queues_once,
                nothing_queued_is_nothing_to_claim,
                the_oldest_of_an_idle_conversation_is_claimed,
                a_failed_message_does_not_block_later_ones,
                no_message_is_claimed_twice_and_no_conversation_doubly,
                only_who_has_it_on_its_way_settles_a_message,
                what_dead_runs_had_on_their_way_is_abandoned,
                messages_are_open_until_all_are_settled,
            ]
            send_turns: [
                the_most_urgent_is_claimed_and_lifts_what_is_before_it,
                a_message_put_back_waits_for_its_next_try,
                a_next_try_that_a_clock_put_back_has_left_far_ahead_is_due,
                what_waits_for_a_connection_is_woken,
                only_its_run_may_let_a_message_leave,
                only_a_waiting_message_is_cancelled,
                only_what_is_not_known_is_treated_as_sent,
                a_message_in_trouble_is_counted,
            ]
            idempotency: [
                a_kept_answer_is_found_as_it_was,
                a_key_belongs_to_member_method_and_path,
                an_answer_whose_time_is_over_is_not_found_and_replaced,
                answers_whose_time_is_over_are_forgotten,
                an_answer_goes_with_whom_it_names,
                of_many_with_the_same_key_one_has_its_effect,
            ]
            leases: [
                a_living_lease_is_not_taken_by_another,
                a_lease_that_is_over_is_taken,
                a_lease_that_another_took_is_not_renewed,
                a_lease_given_back_is_free_at_once,
                a_dropped_lease_is_forgotten_and_anothers_stays,
                leases_of_other_names_are_others,
                of_many_who_take_a_lease_at_once_one_has_it,
                the_clock_of_the_database_goes_on,
            ]
            access_tokens: [
                a_kept_token_is_found_with_what_is_left_of_it,
                each_new_token_has_the_next_number,
                only_the_refused_token_is_taken_away,
                tokens_that_nobody_uses_any_more_are_forgotten,
            ]
            jobs: [
                three_senders_send_each_message_once_and_in_order,
                three_senders_keep_within_the_limit,
                two_recorders_record_each_callback_once,
                people_write_while_they_are_answered_and_their_talks_are_closed,
                two_sealers_make_one_chain,
                a_file_that_three_instances_look_for_is_fetched_once,
                a_name_that_two_instances_ask_for_is_written_once,
                two_housekeepers_take_what_is_over_its_time_once,
                a_request_and_the_housekeepers_erase_each_person_once,
            ]
            send_leases: [
                a_message_whose_lease_is_over_does_not_leave,
                a_departure_prolongs_the_lease,
                what_has_a_living_lease_is_not_abandoned,
                an_outcome_that_comes_late_is_better_than_none,
                what_was_sent_again_or_settled_takes_no_late_outcome,
                a_file_is_fetched_by_one_at_a_time,
                a_file_whose_fetcher_died_is_fetched_by_another,
            ]
            shared_counts: [
                the_others_learn_what_an_instance_told,
                telling_again_replaces_the_same_names,
                what_was_told_long_ago_counts_no_more,
            ]
            connection: [
                nothing_is_stored_at_first,
                saving_replaces_what_is_named_and_keeps_the_rest,
                saving_an_old_version_is_stale_and_changes_nothing,
                of_many_who_save_the_same_version_one_succeeds,
            ]
            send_budgets: [
                a_budget_is_kept_as_it_was,
                the_departures_after_an_instant_are_found,
                a_departure_is_moved_and_taken_back,
                old_departures_are_forgotten,
            ]
            senders: [
                a_noted_sender_is_nameless_and_due_at_once,
                noting_again_changes_nothing,
                each_is_noted_once_however_many_note_at_once,
                the_longest_due_come_first,
                a_name_found_is_kept_and_not_asked_for_again,
                who_was_asked_in_vain_is_due_at_the_named_time,
                a_name_found_before_outlives_a_failure,
                all_that_are_due_can_be_deferred_and_called_back,
            ]
            members: [
                an_added_member_is_found_by_id_and_email,
                an_equal_sign_in_name_is_taken,
                of_many_with_the_same_sign_in_name_one_is_added,
                members_are_ordered_by_name_then_id,
                updating_replaces_name_role_grants_language_and_the_disabled_mark,
                a_password_is_replaced,
            ]
            teams: [
                teams_are_found_and_ordered_by_name,
                an_equal_team_name_is_taken,
                members_of_a_team_are_replaced_together,
                a_customer_is_given_a_team_that_exists,
                a_deleted_team_leaves_its_customers_without,
                what_one_does_not_see_is_not_found,
                lists_counts_and_searches_hold_only_what_is_seen,
                a_companys_messages_are_those_of_people_who_are_seen,
                the_board_and_its_counts_hold_only_what_is_seen,
                the_tab_of_a_team_holds_its_customers_and_those_of_its_members,
                events_say_whose_their_record_is_now,
            ]
            credentials: [
                a_session_is_found_with_its_member,
                an_ended_session_is_ended_for_good,
                all_sessions_of_a_member_end_but_the_one_named,
                a_token_is_found_with_its_member,
                a_token_is_revoked_once,
                all_tokens_of_a_member_are_revoked,
                tokens_are_listed_newest_first_with_their_members,
                a_one_time_link_works_once,
                a_one_time_link_works_once_at_the_same_moment_too,
                failed_sign_ins_are_counted_by_account_and_time,
                sessions_are_listed_last_used_first,
                a_renewed_session_goes_on_under_the_new_secret_alone,
                everybodys_sessions_end_and_are_counted,
                sessions_begun_or_used_too_long_ago_are_forgotten,
                a_token_keeps_its_scopes_and_all_are_revoked_at_once,
                setup_links_stand_beside_each_other_and_one_that_is_taken_ends_all,
            ]
            factors: [
                a_factor_replaces_the_one_before,
                only_confirmed_factors_count,
                a_step_and_those_before_it_are_accepted_once,
                a_step_is_accepted_once_at_the_same_moment_too,
                a_removed_factor_takes_its_recovery_codes_along,
                a_recovery_code_is_good_once_and_for_its_member,
                a_sign_in_that_waits_is_taken_once,
                expired_sign_ins_are_forgotten_when_one_begins,
                sign_ins_that_wait_end_with_the_sessions,
            ]
            data_keys: [
                the_key_that_seals_comes_first_and_was_retired_by_none,
                a_key_is_added_only_instead_of_the_one_that_seals,
                of_many_who_add_a_key_at_once_one_does,
                an_adopted_key_opens_and_does_not_seal,
                a_key_is_wrapped_again_and_its_fingerprint_noted,
                only_a_retired_key_is_forgotten,
                a_named_secret_is_kept_once,
                envelopes_come_in_the_order_of_their_keys,
                every_sealed_column_is_there,
                an_envelope_is_replaced_unless_it_was_changed,
            ]
            events: [
                an_added_event_is_found_as_it_was,
                what_came_after_a_place_comes_oldest_first,
                the_epoch_stays_the_same,
                a_unit_that_errs_adds_no_event,
                who_follows_misses_none_of_many_at_once,
                old_events_are_forgotten_but_never_the_newest,
                a_new_epoch_begins_without_events,
                own_events_are_not_foreign,
            ]
            audit: [
                an_added_entry_is_found_as_it_was,
                entries_come_newest_first_page_by_page,
                the_filter_leaves_out_what_is_not_wanted,
                a_unit_that_errs_leaves_no_entry,
                an_entry_waits_for_its_seal,
                the_chain_is_read_in_order,
                of_many_writers_every_entry_waits,
                emptied_values_are_gone_and_their_entries_stay,
                old_entries_are_forgotten_from_the_beginning,
            ]
            readings: [
                an_added_reading_is_found_as_it_was,
                readings_come_newest_first_page_by_page,
                the_filter_leaves_out_other_readings,
                the_rule_is_the_last_one_that_was_set,
                old_readings_are_forgotten,
                a_forgotten_person_is_in_no_reading,
            ]
            imports: [
                imported_rows_are_invisible_until_the_import_is_finished,
                an_invisible_company_is_missing_for_others,
                an_unfinished_import_is_taken_up_and_a_finished_one_is_not,
                what_was_imported_before_is_told_in_order,
                a_row_with_another_digest_is_imported_too,
                ids_come_in_the_order_of_the_rows,
                a_chunk_that_errs_leaves_nothing,
                finishing_shows_only_the_import_and_may_be_repeated,
            ]
        }
    };
}

/// Writes the tests of [`contract_suite`]: a module for each noun, a test for each case.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($make:ident $($noun:ident: [$($case:ident,)*])*) => {
        $(
            mod $noun {
                $(
                    #[test]
                    fn $case() {
                        $crate::contract::run(super::$make, $crate::contract::$noun::$case);
                    }
                )*
            }
        )*
    };
}

//! The tables of `migrations/`, in SQL types that every database has. The order of columns is that of the first migration.

diesel::table! {
    imports (id) {
        id -> BigInt,
        source -> Text,
        started_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    import_origins (id) {
        id -> BigInt,
        import_id -> BigInt,
        source -> Text,
        kind -> Text,
        foreign_id -> BigInt,
        digest -> Binary,
        local_id -> BigInt,
    }
}

diesel::table! {
    companies (id) {
        id -> BigInt,
        name -> Text,
        address -> Nullable<Text>,
        phone -> Nullable<Text>,
        website -> Nullable<Text>,
        name_kana -> Text,
        remarks -> Text,
        sort_key -> Text,
        name_key -> Text,
        kana_key -> Text,
        key_version -> Integer,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        deleted_at -> Nullable<Timestamp>,
        import_id -> Nullable<BigInt>,
        deleted_by -> Nullable<Text>,
    }
}

diesel::table! {
    customers (id) {
        id -> BigInt,
        first_name -> Text,
        last_name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        line_user_id -> Nullable<Text>,
        company_id -> Nullable<BigInt>,
        last_name_kana -> Text,
        first_name_kana -> Text,
        remarks -> Text,
        sort_key -> Text,
        name_key -> Text,
        kana_key -> Text,
        email_key -> Text,
        phone_key -> Text,
        key_version -> Integer,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        deleted_at -> Nullable<Timestamp>,
        import_id -> Nullable<BigInt>,
        owner_id -> Nullable<BigInt>,
        needs_look -> Bool,
        registered_from -> Nullable<Text>,
        team_id -> Nullable<BigInt>,
        deleted_by -> Nullable<Text>,
    }
}

diesel::table! {
    members (id) {
        id -> BigInt,
        email -> Text,
        email_key -> Text,
        name -> Text,
        role -> Text,
        locale -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        disabled_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        may_import -> Bool,
        may_export -> Bool,
    }
}

diesel::table! {
    sessions (hash) {
        hash -> Binary,
        member_id -> BigInt,
        created_at -> Timestamp,
        seen_at -> Timestamp,
        address -> Nullable<Text>,
        agent -> Nullable<Text>,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        hash -> Binary,
        member_id -> BigInt,
        name -> Text,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        revoked_at -> Nullable<Timestamp>,
        used_at -> Nullable<Timestamp>,
        may_read -> Bool,
        may_write -> Bool,
        may_send -> Bool,
    }
}

diesel::table! {
    one_time_links (hash) {
        hash -> Binary,
        member_id -> BigInt,
        purpose -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    member_factors (member_id) {
        member_id -> BigInt,
        seed -> Binary,
        created_at -> Timestamp,
        confirmed_at -> Nullable<Timestamp>,
        last_step -> Nullable<BigInt>,
    }
}

diesel::table! {
    recovery_codes (id) {
        id -> BigInt,
        member_id -> BigInt,
        hash -> Binary,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    pending_sign_ins (hash) {
        hash -> Binary,
        member_id -> BigInt,
        account -> Binary,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    setup_links (hash) {
        hash -> Binary,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    failed_sign_ins (id) {
        id -> BigInt,
        account -> Binary,
        at -> Timestamp,
    }
}

diesel::table! {
    conversations (id) {
        id -> BigInt,
        bot -> Text,
        address -> Text,
        kind -> Text,
        link -> Text,
        link_at -> Timestamp,
        created_at -> Timestamp,
        customer_id -> Nullable<BigInt>,
        owner_id -> Nullable<BigInt>,
        channel -> Nullable<Text>,
        waiting_since -> Nullable<Timestamp>,
        handler_id -> Nullable<BigInt>,
        handled_since -> Nullable<Timestamp>,
        troubled_since -> Nullable<Timestamp>,
        last_at -> Nullable<Timestamp>,
        last_direction -> Nullable<Text>,
        last_kind -> Nullable<Text>,
        last_text -> Text,
        last_said_at -> Nullable<Timestamp>,
        last_accepted_at -> Nullable<Timestamp>,
        received -> BigInt,
        closed_at -> Nullable<Timestamp>,
        closed_by -> Nullable<BigInt>,
        closed_handler_id -> Nullable<BigInt>,
        closed_waiting_id -> Nullable<BigInt>,
        claim_due -> Bool,
        board_place -> Nullable<Integer>,
        board_at -> Nullable<Timestamp>,
        version -> BigInt,
        team_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    waitings (id) {
        id -> BigInt,
        conversation_id -> BigInt,
        since -> Timestamp,
        until -> Nullable<Timestamp>,
        ended -> Nullable<Text>,
        ended_by -> Nullable<BigInt>,
        first_response_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    notes (id) {
        id -> BigInt,
        key -> Text,
        conversation_id -> Nullable<BigInt>,
        customer_id -> Nullable<BigInt>,
        author_id -> Nullable<BigInt>,
        author_name -> Text,
        text -> Text,
        written_at -> Timestamp,
    }
}

diesel::table! {
    drafts (id) {
        id -> BigInt,
        conversation_id -> BigInt,
        member_id -> BigInt,
        text -> Text,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    reads (id) {
        id -> BigInt,
        conversation_id -> BigInt,
        member_id -> BigInt,
        received -> BigInt,
    }
}

diesel::table! {
    receipts (id) {
        id -> BigInt,
        bot -> Text,
        issued -> Text,
        digest -> Binary,
        body -> Binary,
        received_at -> Timestamp,
        state -> Text,
        conversation_id -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        settled_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    senders (id) {
        id -> BigInt,
        address -> Text,
        last_name -> Text,
        first_name -> Text,
        last_name_kana -> Text,
        first_name_kana -> Text,
        email -> Text,
        fetched_at -> Nullable<Timestamp>,
        problem -> Nullable<Text>,
        next_try_at -> Nullable<Timestamp>,
        tries -> Integer,
        created_at -> Timestamp,
    }
}

diesel::table! {
    sends (id) {
        id -> BigInt,
        key -> Text,
        conversation_id -> BigInt,
        text -> Text,
        author_id -> Nullable<BigInt>,
        author_name -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        run -> Nullable<Text>,
        queued_at -> Timestamp,
        claimed_at -> Nullable<Timestamp>,
        finished_at -> Nullable<Timestamp>,
        urgency -> Integer,
        tries -> Integer,
        next_try_at -> Nullable<Timestamp>,
        treated_at -> Nullable<Timestamp>,
        treated_by_id -> Nullable<BigInt>,
        treated_by -> Nullable<Text>,
    }
}

diesel::table! {
    departures (id) {
        id -> BigInt,
        domain -> Text,
        operation -> Text,
        send_id -> BigInt,
        at -> Timestamp,
    }
}

diesel::table! {
    connection_values (field) {
        field -> Text,
        sealed -> Binary,
        changed_at -> Timestamp,
        changed_by -> Text,
    }
}

diesel::table! {
    connection_versions (id) {
        id -> BigInt,
        version -> BigInt,
        saved_at -> Timestamp,
        saved_by -> Text,
    }
}

diesel::table! {
    send_budgets (domain, operation) {
        domain -> Text,
        operation -> Text,
        said_limit -> Nullable<Integer>,
        blocked_until -> Nullable<Timestamp>,
        run_began -> Nullable<Timestamp>,
        last_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    activities (id) {
        id -> BigInt,
        customer_id -> BigInt,
        message -> Text,
        timestamp -> Timestamp,
        direction -> Text,
        kind -> Text,
        detail -> Nullable<Text>,
        conversation_id -> Nullable<BigInt>,
        receipt_id -> Nullable<BigInt>,
        send_id -> Nullable<BigInt>,
        deleted_at -> Nullable<Timestamp>,
        import_id -> Nullable<BigInt>,
        note_id -> Nullable<BigInt>,
        late -> Bool,
    }
}

diesel::table! {
    attachments (id) {
        id -> BigInt,
        receipt_id -> BigInt,
        conversation_id -> Nullable<BigInt>,
        bot -> Text,
        file_id -> Text,
        kind -> Text,
        state -> Text,
        name -> Nullable<Text>,
        media_type -> Nullable<Text>,
        size -> Nullable<BigInt>,
        sha256 -> Nullable<Text>,
        tries -> Integer,
        next_try_at -> Nullable<Timestamp>,
        reason -> Nullable<Text>,
        added_at -> Timestamp,
    }
}

diesel::table! {
    data_keys (id) {
        id -> Text,
        wrapped -> Binary,
        made_at -> Timestamp,
        retired_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    key_fingerprint (id) {
        id -> BigInt,
        fingerprint -> Binary,
    }
}

diesel::table! {
    named_secrets (name) {
        name -> Text,
        sealed -> Binary,
    }
}

diesel::table! {
    operations (key) {
        key -> Binary,
        at -> Timestamp,
    }
}

diesel::table! {
    events (id) {
        id -> BigInt,
        kind -> Text,
        conversation_id -> Nullable<BigInt>,
        customer_id -> Nullable<BigInt>,
        company_id -> Nullable<BigInt>,
        member_id -> Nullable<BigInt>,
        at -> Timestamp,
    }
}

diesel::table! {
    event_epoch (id) {
        id -> BigInt,
        epoch -> Text,
    }
}

diesel::table! {
    teams (id) {
        id -> BigInt,
        name -> Text,
        sees -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    team_members (team_id, member_id) {
        team_id -> BigInt,
        member_id -> BigInt,
        leader -> Bool,
    }
}

diesel::table! {
    audit (id) {
        id -> BigInt,
        at -> Timestamp,
        by_kind -> Text,
        member_id -> Nullable<BigInt>,
        token_id -> Nullable<BigInt>,
        by_name -> Text,
        address -> Nullable<Text>,
        act -> Text,
        record_kind -> Nullable<Text>,
        record_id -> Nullable<BigInt>,
        customer_id -> Nullable<BigInt>,
        fields -> Text,
        reason -> Nullable<Text>,
        digest -> Binary,
    }
}

diesel::table! {
    audit_values (id) {
        id -> BigInt,
        audit_id -> BigInt,
        salt -> Binary,
        field -> Text,
        old_value -> Nullable<Text>,
        new_value -> Nullable<Text>,
        masked -> Bool,
    }
}

diesel::table! {
    audit_seals (audit_id) {
        audit_id -> BigInt,
        position -> Nullable<BigInt>,
        mac -> Nullable<Binary>,
    }
}

diesel::table! {
    reading_log (id) {
        id -> BigInt,
        at -> Timestamp,
        by_kind -> Text,
        member_id -> Nullable<BigInt>,
        token_id -> Nullable<BigInt>,
        by_name -> Text,
        address -> Nullable<Text>,
        kind -> Text,
        customer_id -> Nullable<BigInt>,
        record_id -> Nullable<BigInt>,
        words -> Nullable<Text>,
    }
}

diesel::table! {
    reading_rule (id) {
        id -> BigInt,
        is_on -> Bool,
        days -> BigInt,
    }
}

diesel::table! {
    erasures (id) {
        id -> BigInt,
        customer_id -> Nullable<BigInt>,
        subject -> Text,
        cause -> Text,
        state -> Text,
        requested_at -> Timestamp,
        requested_by_id -> Nullable<BigInt>,
        requested_by -> Text,
        finished_at -> Nullable<Timestamp>,
        tally -> Text,
    }
}

diesel::table! {
    erasure_talks (id) {
        id -> BigInt,
        erasure_id -> BigInt,
        conversation_id -> BigInt,
        address -> Text,
    }
}

diesel::table! {
    abandoned_blobs (sha256) {
        sha256 -> Text,
    }
}

diesel::table! {
    retention_rules (kind) {
        kind -> Text,
        months -> Integer,
    }
}

diesel::table! {
    legal_holds (id) {
        id -> BigInt,
        customer_id -> Nullable<BigInt>,
        reason -> Text,
        placed_at -> Timestamp,
        placed_by -> Text,
        lifted_at -> Nullable<Timestamp>,
        lifted_by -> Nullable<Text>,
    }
}

diesel::table! {
    house_runs (id) {
        id -> BigInt,
        started_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
        held -> Bool,
        tally -> Text,
    }
}

diesel::joinable!(activities -> customers (customer_id));
diesel::joinable!(activities -> sends (send_id));
diesel::joinable!(activities -> notes (note_id));
diesel::joinable!(customers -> companies (company_id));
diesel::joinable!(legal_holds -> customers (customer_id));
diesel::joinable!(sends -> conversations (conversation_id));
diesel::joinable!(sessions -> members (member_id));
diesel::joinable!(team_members -> teams (team_id));
diesel::joinable!(api_tokens -> members (member_id));

diesel::allow_tables_to_appear_in_same_query!(
    imports,
    import_origins,
    teams,
    team_members,
    companies,
    customers,
    members,
    sessions,
    api_tokens,
    one_time_links,
    member_factors,
    recovery_codes,
    pending_sign_ins,
    setup_links,
    failed_sign_ins,
    conversations,
    waitings,
    notes,
    drafts,
    reads,
    receipts,
    senders,
    sends,
    departures,
    send_budgets,
    activities,
    attachments,
    operations,
    erasures,
    erasure_talks,
    abandoned_blobs,
    retention_rules,
    legal_holds,
    house_runs,
    events,
    event_epoch,
    audit,
    audit_values,
    audit_seals,
    reading_log,
    reading_rule,
);

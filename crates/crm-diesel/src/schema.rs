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
    }
}

diesel::table! {
    sessions (hash) {
        hash -> Binary,
        member_id -> BigInt,
        created_at -> Timestamp,
        seen_at -> Timestamp,
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

diesel::joinable!(activities -> customers (customer_id));
diesel::joinable!(activities -> sends (send_id));
diesel::joinable!(activities -> notes (note_id));
diesel::joinable!(customers -> companies (company_id));
diesel::joinable!(sends -> conversations (conversation_id));
diesel::joinable!(sessions -> members (member_id));
diesel::joinable!(api_tokens -> members (member_id));

diesel::allow_tables_to_appear_in_same_query!(
    imports,
    import_origins,
    companies,
    customers,
    members,
    sessions,
    api_tokens,
    one_time_links,
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
    events,
    event_epoch,
);

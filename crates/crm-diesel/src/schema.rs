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
    receipts,
    sends,
    activities,
    operations,
    events,
    event_epoch,
);

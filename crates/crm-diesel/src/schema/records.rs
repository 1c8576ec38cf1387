//! Records that people keep.

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
        indexed -> Bool,
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
        lease_until -> Nullable<Timestamp>,
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

//! Members, and what proves who they are.

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

//! What the house keeps: settings, keys, logs, rules.

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
        request_id -> Nullable<Text>,
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
    erased_list (kind, subject, at) {
        kind -> Text,
        subject -> Text,
        at -> Timestamp,
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

diesel::table! {
    idempotency_keys (id) {
        id -> BigInt,
        member_id -> BigInt,
        method -> Text,
        path -> Text,
        key -> Text,
        body_hash -> Text,
        status -> Integer,
        location -> Nullable<Text>,
        body -> Text,
        customer_id -> Nullable<BigInt>,
        conversation_id -> Nullable<BigInt>,
        at -> Timestamp,
    }
}

diesel::table! {
    shared_counts (instance, name) {
        instance -> Text,
        name -> Text,
        count -> BigInt,
        told_at -> Timestamp,
    }
}

diesel::table! {
    leases (name) {
        name -> Text,
        owner -> Text,
        until -> Timestamp,
        number -> BigInt,
    }
}

diesel::table! {
    schema_version (id) {
        id -> BigInt,
        version -> BigInt,
        oldest_binary -> BigInt,
        product -> Text,
    }
}

diesel::table! {
    backups (id) {
        id -> BigInt,
        started_at -> Timestamp,
        beat_at -> Timestamp,
        finished_at -> Nullable<Timestamp>,
        daily -> Bool,
        taken_by -> Text,
        file -> Text,
        size -> BigInt,
        digest -> Text,
        encrypted -> Bool,
        state -> Text,
        problem -> Nullable<Text>,
    }
}

diesel::table! {
    paused (id) {
        id -> BigInt,
        since -> Timestamp,
        cause -> Text,
    }
}

diesel::table! {
    access_tokens (connection) {
        connection -> Text,
        number -> BigInt,
        sealed -> Nullable<Binary>,
        scope -> Text,
        used_until -> Timestamp,
        expires_at -> Nullable<Timestamp>,
    }
}

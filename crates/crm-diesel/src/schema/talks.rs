//! Conversations, what comes in and what goes out.

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
        lease_until -> Nullable<Timestamp>,
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
    events (id) {
        id -> BigInt,
        kind -> Text,
        conversation_id -> Nullable<BigInt>,
        customer_id -> Nullable<BigInt>,
        company_id -> Nullable<BigInt>,
        member_id -> Nullable<BigInt>,
        at -> Timestamp,
        xid -> BigInt,
    }
}

diesel::table! {
    event_epoch (id) {
        id -> BigInt,
        epoch -> Text,
        forgotten_xid -> BigInt,
        forgotten_seq -> BigInt,
    }
}

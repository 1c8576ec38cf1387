//! The tables of `migrations/`, in SQL types that every database has. The order of columns is that of the first migration.

mod house;
mod people;
mod records;
mod talks;

pub(crate) use self::{house::*, people::*, records::*, talks::*};

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
    backups,
    paused,
    idempotency_keys,
    leases,
    access_tokens,
    shared_counts,
    events,
    event_epoch,
    audit,
    audit_values,
    audit_seals,
    reading_log,
    reading_rule,
);

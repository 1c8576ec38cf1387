//! What can stand in the log, and about what.

macro_rules! codes {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$inner])* $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that stores keep and catalogues translate.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The one of a code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.code() == code)
            }
        }
    };
}

codes! {
    /// What was done.
    Act {
        /// A customer was added.
        CustomerAdded = "customer_added",
        /// What is known of a customer changed.
        CustomerChanged = "customer_changed",
        /// A customer was moved to the trash.
        CustomerDiscarded = "customer_discarded",
        /// A customer was brought back from the trash.
        CustomerRestored = "customer_restored",
        /// A customer was deleted for good.
        CustomerErased = "customer_erased",
        /// All that is held about a customer was given out.
        CustomerExported = "customer_exported",
        /// A customer got another 担当者, or none.
        OwnerChanged = "owner_changed",
        /// A company was added.
        CompanyAdded = "company_added",
        /// What is known of a company changed.
        CompanyChanged = "company_changed",
        /// A company was moved to the trash.
        CompanyDiscarded = "company_discarded",
        /// A company was brought back from the trash.
        CompanyRestored = "company_restored",
        /// A company was deleted for good.
        CompanyErased = "company_erased",
        /// A message was written, to be sent.
        MessageQueued = "message_queued",
        /// A message was taken back before it went out.
        MessageCancelled = "message_cancelled",
        /// A message whose fate is unknown was called sent.
        MessageTreatedAsSent = "message_treated_as_sent",
        /// A message was deleted from a customer's page.
        MessageDeleted = "message_deleted",
        /// A deleted message was brought back.
        MessageRestored = "message_restored",
        /// A note was written.
        NoteWritten = "note_written",
        /// 自分が対応する.
        ConversationTaken = "conversation_taken",
        /// 対応をやめる.
        ConversationReleased = "conversation_released",
        /// 引き継ぐ.
        ConversationHandedOver = "conversation_handed_over",
        /// 対応済みにする.
        ConversationClosed = "conversation_closed",
        /// 元に戻す.
        ClosingUndone = "closing_undone",
        /// A sender's conversation was given to a customer, or taken from one.
        SenderLinked = "sender_linked",
        /// A file was to be fetched again.
        FileRetried = "file_retried",
        /// Held callbacks were looked at again.
        CallbacksRechecked = "callbacks_rechecked",
        /// A member was added.
        MemberAdded = "member_added",
        /// A member was changed: name, role, grants, language.
        MemberChanged = "member_changed",
        /// A member was disabled.
        MemberDisabled = "member_disabled",
        /// A member was let in again.
        MemberEnabled = "member_enabled",
        /// Somebody's customers and conversations were handed to another member.
        WorkHandedOver = "work_handed_over",
        /// A password was set by somebody else.
        PasswordSet = "password_set",
        /// One's own password was changed.
        PasswordChanged = "password_changed",
        /// A one-time link was made.
        LinkMade = "link_made",
        /// A link for the first administrator was made.
        SetupLinkMade = "setup_link_made",
        /// A seed for a second factor was made, not asked for yet.
        FactorBegun = "factor_begun",
        /// A second factor was added.
        FactorAdded = "factor_added",
        /// A second factor was removed.
        FactorRemoved = "factor_removed",
        /// Somebody's factors were taken away.
        FactorsReset = "factors_reset",
        /// Recovery codes were made anew.
        RecoveryCodesMade = "recovery_codes_made",
        /// A token was made.
        TokenCreated = "token_created",
        /// A token was revoked.
        TokenRevoked = "token_revoked",
        /// Somebody signed in.
        SignedIn = "signed_in",
        /// Somebody could not sign in.
        SignInFailed = "sign_in_failed",
        /// Somebody signed out.
        SignedOut = "signed_out",
        /// Sessions were ended.
        SessionsEnded = "sessions_ended",
        /// A customer was given to a team, or to none.
        TeamAssigned = "team_assigned",
        /// A team was made.
        TeamAdded = "team_added",
        /// A team was changed.
        TeamChanged = "team_changed",
        /// A team was dissolved.
        TeamRemoved = "team_removed",
        /// Who belongs to a team changed.
        TeamMembersChanged = "team_members_changed",
        /// An import began.
        ImportBegun = "import_begun",
        /// Rows were imported.
        RowsImported = "rows_imported",
        /// An import ended.
        ImportFinished = "import_finished",
        /// A whole list was taken out.
        ListExported = "list_exported",
        /// Something was not allowed.
        Refused = "refused",
        /// A setting was changed.
        SettingChanged = "setting_changed",
        /// The connection to LINE WORKS was changed.
        ConnectionChanged = "connection_changed",
        /// The connection to LINE WORKS was tried out.
        ConnectionTried = "connection_tried",
        /// Keys were changed.
        KeysRotated = "keys_rotated",
        /// A rule of retention was changed.
        RetentionChanged = "retention_changed",
        /// What was over its time was deleted.
        RetentionRun = "retention_run",
        /// A legal hold was set.
        HoldSet = "hold_set",
        /// A legal hold was lifted.
        HoldLifted = "hold_lifted",
        /// Old entries of this log were forgotten.
        AuditTrimmed = "audit_trimmed",
        /// A backup was taken.
        BackupTaken = "backup_taken",
        /// A backup could not be taken.
        BackupFailed = "backup_failed",
        /// This store was put back from a backup.
        BackupRestored = "backup_restored",
        /// This store was copied from another one.
        DatabaseCopied = "database_copied",
        /// What rested since was let go on.
        WorkResumed = "work_resumed",
        /// The secret key was printed for the safe.
        KeySheetPrinted = "key_sheet_printed",
    }
}

codes! {
    /// About what.
    RecordKind {
        /// A customer.
        Customer = "customer",
        /// A company.
        Company = "company",
        /// A conversation.
        Conversation = "conversation",
        /// A message on a customer's page.
        Message = "message",
        /// A message of ours on its way.
        Send = "send",
        /// A note.
        Note = "note",
        /// A member.
        Member = "member",
        /// A token.
        Token = "token",
        /// A team.
        Team = "team",
        /// A file that came with a message.
        File = "file",
        /// An import.
        Import = "import",
        /// A legal hold.
        Hold = "hold",
        /// A position of this log.
        Audit = "audit",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Act, RecordKind};

    #[test]
    fn every_code_is_one_act_and_every_act_is_found() {
        let codes: HashSet<&str> = Act::ALL.iter().map(|act| act.code()).collect();
        assert_eq!(codes.len(), Act::ALL.len());
        assert!(
            Act::ALL
                .iter()
                .all(|act| Act::from_code(act.code()) == Some(*act))
        );
        assert!(
            RecordKind::ALL
                .iter()
                .all(|kind| RecordKind::from_code(kind.code()) == Some(*kind))
        );
        assert_eq!(Act::from_code("else"), None);
    }
}

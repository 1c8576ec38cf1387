//! Members.

use crm_domain::instant::Instant;
use crm_domain::members::{
    Grants, Locale, Member, MemberId, MemberQueries, MemberRepository, NewMember, Role,
};
use crm_domain::ports::store::StoreError;
use diesel::prelude::*;

use super::Uow;
use crate::mend::{corrupt, email};
use crate::schema::members;
use crate::stamp::Stamp;

#[derive(Queryable, Selectable)]
#[diesel(table_name = members)]
pub(super) struct MemberRow {
    id: i64,
    email: String,
    name: String,
    role: String,
    locale: Option<String>,
    password_hash: Option<String>,
    disabled_at: Option<Stamp>,
    created_at: Stamp,
    may_import: bool,
    may_export: bool,
}

impl TryFrom<MemberRow> for Member {
    type Error = StoreError;

    fn try_from(row: MemberRow) -> Result<Self, StoreError> {
        let bad = |column| corrupt("members", column, row.id);
        Ok(Self {
            id: MemberId::new(row.id),
            email: email(Some(&row.email)).ok_or_else(|| bad("email"))?,
            role: Role::from_code(&row.role).ok_or_else(|| bad("role"))?,
            name: row.name,
            grants: Grants {
                import: row.may_import,
                export: row.may_export,
            },
            locale: row.locale.as_deref().and_then(Locale::from_code),
            has_password: row.password_hash.is_some(),
            disabled_at: row.disabled_at.map(|at| at.0),
            created_at: row.created_at.0,
        })
    }
}

impl MemberQueries for Uow<'_> {
    fn member(&mut self, id: MemberId) -> Result<Option<Member>, StoreError> {
        self.run(|conn| {
            let row = members::table
                .find(id.get())
                .select(MemberRow::as_select())
                .first(conn)
                .optional()?;
            Ok(row.map(Member::try_from).transpose()?)
        })
    }

    fn member_by_email(&mut self, email_key: &str) -> Result<Option<(Member, Option<String>)>, StoreError> {
        self.run(|conn| {
            let row = members::table
                .filter(members::email_key.eq(email_key))
                .select(MemberRow::as_select())
                .first(conn)
                .optional()?;
            let Some(row) = row else { return Ok(None) };
            let hash = row.password_hash.clone();
            Ok(Some((row.try_into()?, hash)))
        })
    }

    fn members(&mut self) -> Result<Vec<Member>, StoreError> {
        self.run(|conn| {
            let rows = members::table
                .order_by((members::name, members::id))
                .select(MemberRow::as_select())
                .load(conn)?;
            let all = rows.into_iter().map(Member::try_from);
            Ok(all.collect::<Result<_, _>>()?)
        })
    }
}

impl MemberRepository for Uow<'_> {
    fn add_member(&mut self, member: &NewMember, at: Instant) -> Result<MemberId, StoreError> {
        self.run(|conn| {
            let id = diesel::insert_into(members::table)
                .values((
                    members::email.eq(member.email.as_str()),
                    members::email_key.eq(member.email.key()),
                    members::name.eq(&member.name),
                    members::role.eq(member.role.code()),
                    members::password_hash.eq(member.password_hash.as_deref()),
                    members::created_at.eq(Stamp(at)),
                ))
                .on_conflict(members::email_key)
                .do_nothing()
                .returning(members::id)
                .get_result(conn)
                .optional()?;
            Ok(MemberId::new(id.ok_or(StoreError::Taken("email"))?))
        })
    }

    fn update_member(&mut self, member: &Member) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(members::table.find(member.id.get()))
                .set((
                    members::name.eq(&member.name),
                    members::role.eq(member.role.code()),
                    members::may_import.eq(member.grants.import),
                    members::may_export.eq(member.grants.export),
                    members::locale.eq(member.locale.map(Locale::code)),
                    members::disabled_at.eq(member.disabled_at.map(Stamp)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn set_password(&mut self, id: MemberId, hash: &str) -> Result<(), StoreError> {
        self.run(|conn| {
            diesel::update(members::table.find(id.get()))
                .set(members::password_hash.eq(hash))
                .execute(conn)?;
            Ok(())
        })
    }
}

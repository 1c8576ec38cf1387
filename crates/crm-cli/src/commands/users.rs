//! `crm user`.

use crm_compose::Need;
use crm_domain::error::Error;
use crm_domain::members::{Grants, LinkPurpose, Member, MemberId, Role};
use crm_domain::use_cases::MemberForm;
use serde_json::json;

use super::secret_input::new_secret;
use super::{DONE, Outcome};
use crate::context::{Context, Desk};
use crate::failure::Failure;
use crate::rows::UserRow;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum User {
    /// Add a user. Without --password-stdin a link is made with which the user chooses a password.
    Add {
        /// The sign-in name.
        #[arg(long)]
        email: String,
        /// The name shown.
        #[arg(long)]
        name: String,
        /// What the user may do.
        #[arg(long, value_parser = ["admin", "member", "viewer"])]
        role: String,
        /// Take the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show all users.
    List,
    /// Bar a user from signing in; sessions and tokens end at once.
    Disable {
        /// E-mail address or id.
        user: String,
        /// Let the user sign in again.
        #[arg(long)]
        undo: bool,
    },
    /// Say what a user may do, or may do beyond the role; all sessions of the user end.
    Change {
        /// E-mail address or id.
        user: String,
        /// What the user may do.
        #[arg(long, value_parser = ["admin", "member", "viewer"])]
        role: Option<String>,
        /// Whether the user may bring in data.
        #[arg(long)]
        may_import: Option<bool>,
        /// Whether the user may take whole lists out.
        #[arg(long)]
        may_export: Option<bool>,
    },
    /// Take a user's second factor away who lost app and recovery codes; all sessions of the user end.
    ResetFactors {
        /// E-mail address or id.
        user: String,
    },
    /// Set a user's password, or make a link with which the user chooses one.
    Password {
        /// E-mail address or id.
        user: String,
        /// Take the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
}

pub(crate) async fn run(context: &Context, command: User) -> Outcome {
    let desk = context.desk(Need::Store).await?;
    match command {
        User::Add {
            email,
            name,
            role,
            password_stdin,
        } => {
            let form = MemberForm {
                email,
                name,
                role: Role::from_code(&role).unwrap_or(Role::Member),
                password: if password_stdin {
                    Some(new_secret(context.output.texts(), "secret.password")?)
                } else {
                    None
                },
            };
            add(context, &desk, form).await
        }
        User::List => {
            let members = desk.parts.crm.list_members(&desk.actor).await?;
            let with_factor = desk.parts.crm.members_with_factor(&desk.actor).await?;
            let row = |member: &Member| UserRow::new(member, with_factor.contains(&member.id));
            let rows: Vec<UserRow> = members.iter().map(row).collect();
            context.output.list(&rows, desk.zone());
            DONE
        }
        User::Disable { user, undo } => {
            let member = find(&desk, &user).await?;
            desk.parts
                .crm
                .disable_member(&desk.actor, member.id, !undo)
                .await?;
            show(context, &desk, member.id).await
        }
        User::Change {
            user,
            role,
            may_import,
            may_export,
        } => {
            let member = find(&desk, &user).await?;
            let grants = Grants {
                import: may_import.unwrap_or(member.grants.import),
                export: may_export.unwrap_or(member.grants.export),
            };
            change(context, &desk, &member, role.as_deref(), grants).await
        }
        User::ResetFactors { user } => {
            let member = find(&desk, &user).await?;
            desk.parts.crm.reset_factors(&desk.actor, member.id).await?;
            let email = member.email.as_str();
            let texts = context.output.texts();
            let sentence = texts.fill("user.factors_reset", &[("email", email)]);
            context
                .output
                .said(&sentence, &json!({"id": member.id, "email": email}));
            DONE
        }
        User::Password { user, password_stdin } => {
            let member = find(&desk, &user).await?;
            if password_stdin {
                set_password(context, &desk, &member).await
            } else {
                link(context, &desk, &member).await
            }
        }
    }
}

async fn change(
    context: &Context,
    desk: &Desk,
    member: &Member,
    role: Option<&str>,
    grants: Grants,
) -> Outcome {
    let crm = &desk.parts.crm;
    if let Some(role) = role.and_then(Role::from_code) {
        crm.change_role(&desk.actor, member.id, None, role).await?;
    }
    crm.change_grants(&desk.actor, member.id, grants).await?;
    show(context, desk, member.id).await
}

async fn set_password(context: &Context, desk: &Desk, member: &Member) -> Outcome {
    let password = new_secret(context.output.texts(), "secret.password")?;
    desk.parts
        .crm
        .set_password(&desk.actor, member.id, &password)
        .await?;
    let email = member.email.as_str();
    let sentence = context
        .output
        .texts()
        .fill("user.password_set", &[("email", email)]);
    context
        .output
        .said(&sentence, &json!({"id": member.id, "email": email}));
    DONE
}

async fn add(context: &Context, desk: &Desk, form: MemberForm) -> Outcome {
    let invited = form.password.is_none();
    let id = desk.parts.crm.add_member(&desk.actor, form).await?;
    if invited {
        let member = find(desk, &id.to_string()).await?;
        return link(context, desk, &member).await;
    }
    show(context, desk, id).await
}

async fn show(context: &Context, desk: &Desk, id: MemberId) -> Outcome {
    let member = find(desk, &id.to_string()).await?;
    let with_factor = desk.parts.crm.members_with_factor(&desk.actor).await?;
    let row = UserRow::new(&member, with_factor.contains(&id));
    context.output.record(&row, desk.zone());
    DONE
}

/// The link works once, within a day.
async fn link(context: &Context, desk: &Desk, member: &Member) -> Outcome {
    let secret = desk
        .parts
        .crm
        .make_link(&desk.actor, member.id, LinkPurpose::SetPassword)
        .await?;
    let origin = desk.parts.settings.listen.public_urls.first();
    let link = format!("{}/link/{secret}", origin.map_or("", |url| url.origin()));
    let pairs = [("email", member.email.as_str()), ("link", &link)];
    let sentence = context.output.texts().fill("user.link", &pairs);
    let json = json!({"id": member.id, "email": member.email.as_str(), "link": link});
    context.output.said(&sentence, &json);
    DONE
}

/// By id or e-mail address.
pub(crate) async fn find(desk: &Desk, wanted: &str) -> Result<Member, Failure> {
    let key = wanted.trim().to_lowercase();
    let members = desk.parts.crm.list_members(&desk.actor).await?;
    let found = members
        .into_iter()
        .find(|member| member.email.key() == key || member.id.to_string() == key);
    Ok(found.ok_or(Error::NotFound("member"))?)
}

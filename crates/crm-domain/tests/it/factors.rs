//! Second factors: taken up, asked for, lost, turned off.

use crm_domain::error::Error;
use crm_domain::members::{Device, LinkPurpose, MemberId, Role};
use crm_domain::permissions::Actor;
use crm_domain::use_cases::{
    FACTOR_WAIT, RECOVERY_CODES, SIGN_IN_TRIES, SIGN_IN_WINDOW, SignInForm, SignInStep,
};
use crm_testkit::fakes::CountedCodes;
use crm_testkit::fixtures::{admin, member, operator, person};
use time::Duration;

use crate::world::{PASSWORD, World, code, faults, token_form};

const TARO: &str = "taro@example.jp";
const STEP: Duration = Duration::seconds(30);

/// A member with an authenticator app.
struct Taro {
    world: World,
    id: MemberId,
    actor: Actor,
    here: String,
    secret: String,
    recovery: Vec<String>,
}

impl Taro {
    /// Signed in, and the factor is on since one step.
    async fn new() -> Self {
        let world = World::new();
        let id = world.member(TARO, Role::Member).await;
        let actor = person(id.get(), "太郎", Role::Member);
        let here = world.sign_in(TARO, PASSWORD).await.unwrap();
        let entry = world
            .crm
            .begin_factor(&actor, PASSWORD, "顧客管理")
            .await
            .unwrap();
        let shown = CountedCodes::shown(&entry.secret, world.crm.now());
        let recovery = world.crm.confirm_factor(&actor, &here, &shown).await.unwrap();
        world.pass(STEP);
        Self {
            world,
            id,
            actor,
            here,
            secret: entry.secret,
            recovery,
        }
    }

    fn shown(&self) -> String {
        CountedCodes::shown(&self.secret, self.world.crm.now())
    }

    /// The first half of a sign-in.
    async fn begin(&self) -> String {
        asked(self.world.crm.sign_in(form(PASSWORD)).await)
    }

    async fn prove(&self, pending: &str, code: &str) -> Result<String, Error> {
        let proved = self.world.crm.prove_factor(pending, code, Device::default());
        Ok(proved.await?.0)
    }
}

fn form(password: &str) -> SignInForm {
    SignInForm {
        email: TARO.to_owned(),
        password: password.to_owned(),
        known_browser: None,
        device: Device::default(),
    }
}

fn asked(step: Result<SignInStep, Error>) -> String {
    match step.unwrap() {
        SignInStep::FactorAsked { pending } => pending,
        SignInStep::Done { .. } => panic!("no second factor is asked for"),
    }
}

#[tokio::test]
async fn a_factor_counts_once_a_code_of_it_was_seen() {
    let world = World::new();
    let id = world.member(TARO, Role::Member).await;
    let actor = person(id.get(), "太郎", Role::Member);
    let here = world.sign_in(TARO, PASSWORD).await.unwrap();
    let there = world.sign_in(TARO, PASSWORD).await.unwrap();
    assert_eq!(
        faults(world.crm.begin_factor(&actor, "wrong", "CRM").await.map(|_| ())),
        [("current_password", "malformed")]
    );
    let none = world.crm.confirm_factor(&actor, &here, "000000").await;
    assert_eq!(code(none), "not_found");
    let entry = world.crm.begin_factor(&actor, PASSWORD, "CRM").await.unwrap();
    assert!(entry.address.ends_with(TARO));
    let again = world.crm.factor_begun(&actor, "CRM").await.unwrap().unwrap();
    assert_eq!(again.secret, entry.secret);
    assert!(world.sign_in(TARO, PASSWORD).await.is_ok(), "not yet asked for");
    let wrong = world.crm.confirm_factor(&actor, &here, "000000").await;
    assert_eq!(faults(wrong), [("code", "wrong_code")]);

    let shown = CountedCodes::shown(&entry.secret, world.crm.now());
    let recovery = world.crm.confirm_factor(&actor, &here, &shown).await.unwrap();
    assert_eq!(recovery.len(), RECOVERY_CODES);
    assert!(recovery.iter().all(|code| code.len() == 29), "{recovery:?}");
    assert!(world.is_signed_in(&here).await && !world.is_signed_in(&there).await);
    let status = world.crm.factor_status(&actor).await.unwrap();
    assert_eq!(
        (status.since, status.recovery_codes_left),
        (Some(world.crm.now()), RECOVERY_CODES)
    );
    assert_eq!(world.crm.members_with_factor(&admin()).await.unwrap(), [id]);
    asked(world.crm.sign_in(form(PASSWORD)).await);
    let second = world.crm.begin_factor(&actor, PASSWORD, "CRM").await;
    assert_eq!(code(second), "factor_on");
    assert!(world.crm.factor_begun(&actor, "CRM").await.unwrap().is_none());
}

#[tokio::test]
async fn the_seed_is_stored_sealed() {
    let taro = Taro::new().await;
    let id = taro.id;
    let stored: Result<_, crm_domain::ports::store::StoreError> =
        crm_domain::ports::store::StoreExt::read(taro.world.store.as_ref(), move |unit| {
            unit.factors().factor(id)
        })
        .await;
    let seed: Vec<u8> = (0..taro.secret.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&taro.secret[at..at + 2], 16).unwrap())
        .collect();
    let sealed = stored.unwrap().unwrap().seed;
    assert!(!sealed.windows(seed.len()).any(|part| part == seed));
}

#[tokio::test]
async fn the_first_half_is_good_for_the_second_only() {
    let taro = Taro::new().await;
    let pending = taro.begin().await;
    assert!(!taro.world.is_signed_in(&pending).await);
    assert_eq!(taro.world.crm.token_actor(&pending).await.unwrap(), None);
    let session = taro.prove(&pending, &taro.shown()).await.unwrap();
    assert_ne!(session, pending);
    assert!(taro.world.is_signed_in(&session).await);
    assert_eq!(code(taro.prove(&pending, &taro.shown()).await), "sign_in_over");
    assert_eq!(code(taro.prove("nonsense", &taro.shown()).await), "sign_in_over");
}

#[tokio::test]
async fn a_code_is_good_once_and_a_step_either_way() {
    let taro = Taro::new().await;
    let (shown, pending) = (taro.shown(), taro.begin().await);
    taro.prove(&pending, &shown).await.unwrap();
    let pending = taro.begin().await;
    let again = taro.prove(&pending, &shown).await;
    assert_eq!(faults(again), [("code", "wrong_code")]);
    taro.world.pass(STEP * 2);
    let early = CountedCodes::shown(&taro.secret, taro.world.crm.now().plus(STEP));
    assert!(
        taro.prove(&pending, &format!(" {} {}", &early[..3], &early[3..]))
            .await
            .is_ok()
    );
    let pending = taro.begin().await;
    let later = CountedCodes::shown(&taro.secret, taro.world.crm.now().plus(STEP * 2));
    assert_eq!(
        faults(taro.prove(&pending, &later).await),
        [("code", "wrong_code")]
    );
}

#[tokio::test]
async fn a_recovery_code_is_good_once() {
    let taro = Taro::new().await;
    let written = taro.recovery[3].to_uppercase().replace('-', " ");
    let pending = taro.begin().await;
    assert!(taro.prove(&pending, &written).await.is_ok());
    let pending = taro.begin().await;
    assert_eq!(
        faults(taro.prove(&pending, &written).await),
        [("code", "wrong_code")]
    );
    assert!(taro.prove(&pending, &taro.recovery[4]).await.is_ok());
    let status = taro.world.crm.factor_status(&taro.actor).await.unwrap();
    assert_eq!(status.recovery_codes_left, RECOVERY_CODES - 2);
}

#[tokio::test]
async fn new_recovery_codes_replace_the_old_ones() {
    let taro = Taro::new().await;
    let wrong = taro.world.crm.renew_recovery_codes(&taro.actor, "000000").await;
    assert_eq!(faults(wrong), [("code", "wrong_code")]);
    let new = taro
        .world
        .crm
        .renew_recovery_codes(&taro.actor, &taro.shown())
        .await
        .unwrap();
    let pending = taro.begin().await;
    assert_eq!(
        faults(taro.prove(&pending, &taro.recovery[0]).await),
        [("code", "wrong_code")]
    );
    assert!(taro.prove(&pending, &new[0]).await.is_ok());
}

#[tokio::test]
async fn the_first_half_waits_for_ten_minutes() {
    let taro = Taro::new().await;
    let pending = taro.begin().await;
    taro.world.pass(FACTOR_WAIT);
    assert_eq!(code(taro.prove(&pending, &taro.shown()).await), "sign_in_over");
}

#[tokio::test]
async fn wrong_codes_count_like_wrong_passwords() {
    let taro = Taro::new().await;
    let pending = taro.begin().await;
    for _ in 0..SIGN_IN_TRIES / 2 {
        assert_eq!(
            faults(taro.prove(&pending, "000000").await),
            [("code", "wrong_code")]
        );
        assert_eq!(
            code(taro.world.crm.sign_in(form("wrong")).await),
            "sign_in_refused"
        );
    }
    assert_eq!(
        code(taro.prove(&pending, &taro.shown()).await),
        "too_many_sign_ins"
    );
    assert_eq!(
        code(taro.world.crm.sign_in(form(PASSWORD)).await),
        "too_many_sign_ins"
    );
    taro.world.pass(SIGN_IN_WINDOW);
    let pending = taro.begin().await;
    assert!(taro.prove(&pending, &taro.shown()).await.is_ok());
}

#[tokio::test]
async fn turning_it_off_needs_password_and_code() {
    let taro = Taro::new().await;
    let there = taro.prove(&taro.begin().await, &taro.shown()).await.unwrap();
    taro.world.pass(STEP);
    let off = async |password: &str, code: &str| {
        taro.world
            .crm
            .turn_off_factor(&taro.actor, &taro.here, password, code)
            .await
    };
    assert_eq!(
        faults(off("wrong", &taro.shown()).await),
        [("current_password", "malformed")]
    );
    assert_eq!(faults(off(PASSWORD, "000000").await), [("code", "wrong_code")]);
    off(PASSWORD, &taro.recovery[0]).await.unwrap();
    assert!(taro.world.is_signed_in(&taro.here).await && !taro.world.is_signed_in(&there).await);
    assert!(taro.world.sign_in(TARO, PASSWORD).await.is_ok());
    assert_eq!(code(off(PASSWORD, &taro.recovery[1]).await), "not_found");
}

#[tokio::test]
async fn guesses_in_person_are_counted_and_do_not_close_the_door() {
    let taro = Taro::new().await;
    let off = async || {
        let crm = &taro.world.crm;
        crm.turn_off_factor(&taro.actor, &taro.here, "wrong", "000000")
            .await
    };
    for _ in 0..SIGN_IN_TRIES {
        assert_eq!(faults(off().await), [("current_password", "malformed")]);
    }
    assert_eq!(code(off().await), "too_many_sign_ins");
    let change = taro
        .world
        .crm
        .change_own_password(&taro.actor, &taro.here, PASSWORD, "a new password");
    assert_eq!(code(change.await), "too_many_sign_ins");
    let pending = taro.begin().await;
    assert!(taro.prove(&pending, &taro.shown()).await.is_ok());
}

#[tokio::test]
async fn an_administrator_takes_a_lost_factor_away() {
    let taro = Taro::new().await;
    let pending = taro.begin().await;
    let crm = &taro.world.crm;
    assert_eq!(code(crm.reset_factors(&member(), taro.id).await), "denied");
    crm.reset_factors(&operator(), taro.id).await.unwrap();
    assert!(!taro.world.is_signed_in(&taro.here).await);
    assert_eq!(code(taro.prove(&pending, &taro.shown()).await), "sign_in_over");
    assert!(taro.world.sign_in(TARO, PASSWORD).await.is_ok());
    assert_eq!(code(crm.reset_factors(&operator(), taro.id).await), "not_found");
}

#[tokio::test]
async fn a_link_does_not_go_round_the_factor() {
    let taro = Taro::new().await;
    let crm = &taro.world.crm;
    for (purpose, password) in [
        (LinkPurpose::SignIn, None),
        (LinkPurpose::SetPassword, Some("a new password")),
    ] {
        let link = crm.make_link(&operator(), taro.id, purpose).await.unwrap();
        let pending = asked(crm.use_link(&link, password, Device::default()).await);
        taro.world.pass(STEP);
        let session = taro.prove(&pending, &taro.shown()).await.unwrap();
        assert!(taro.world.is_signed_in(&session).await);
    }
}

#[tokio::test]
async fn whoever_was_disabled_meanwhile_does_not_come_in() {
    let taro = Taro::new().await;
    let pending = taro.begin().await;
    taro.world
        .crm
        .disable_member(&admin(), taro.id, true)
        .await
        .unwrap();
    assert_eq!(code(taro.prove(&pending, &taro.shown()).await), "sign_in_over");
}

#[tokio::test]
async fn a_program_has_no_business_with_factors() {
    let taro = Taro::new().await;
    let crm = &taro.world.crm;
    let token = crm
        .create_token(&admin(), token_form(taro.id, "鍵"))
        .await
        .unwrap();
    let program = crm.token_actor(&token).await.unwrap().unwrap().actor;
    assert_eq!(code(crm.factor_status(&program).await), "not_found");
    let shown = taro.shown();
    let off = crm.turn_off_factor(&program, "", PASSWORD, &shown);
    assert_eq!(code(off.await), "not_found");
    let change = crm.change_own_password(&program, "", PASSWORD, "a new password");
    assert_eq!(code(change.await), "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_guess_at_once_get_no_more_tries() {
    let taro = std::sync::Arc::new(Taro::new().await);
    let pending = taro.begin().await;
    let guesses: Vec<_> = (0..SIGN_IN_TRIES * 3)
        .map(|_| {
            let (taro, pending) = (std::sync::Arc::clone(&taro), pending.clone());
            tokio::spawn(async move { code(taro.prove(&pending, "000000").await) })
        })
        .collect();
    let mut heard = 0;
    for guess in guesses {
        heard += usize::from(guess.await.unwrap() == "invalid");
    }
    assert_eq!(heard, SIGN_IN_TRIES);
}

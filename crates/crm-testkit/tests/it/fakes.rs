//! The fakes do what they say.

use std::sync::Arc;

use crm_domain::ports::callbacks::{CallbackHeaders, CallbackRefused, Callbacks, InboundEvent};
use crm_domain::ports::host::{Clock, PasswordError, Passwords, Secrets};
use crm_domain::ports::messenger::{Messenger, Messengers, OutgoingText, SendError, SendProblem};
use crm_testkit::fakes::{
    FakeCallbacks, FakeMessenger, FakeMessengers, FixedClock, PlainPasswords, SAMPLE_SENDER, SeededSecrets,
};
use crm_testkit::fixtures::{BOT, after, start, user};

#[test]
fn the_clock_stands_until_it_is_moved() {
    let clock = FixedClock::default();
    assert_eq!((clock.now(), clock.now()), (start(), start()));
    clock.advance(time::Duration::seconds(5));
    assert_eq!(clock.now(), after(5));
    clock.set(after(-5));
    assert_eq!(clock.now(), after(-5));
}

#[test]
fn secrets_differ_in_a_run_and_are_the_same_in_each() {
    let (one, again, other) = (
        SeededSecrets::new(1),
        SeededSecrets::new(1),
        SeededSecrets::new(2),
    );
    let first = one.token();
    assert_eq!((first.len(), &first), (64, &again.token()));
    assert_ne!(first, one.token());
    assert_ne!(first, other.token());
    let hash = one.hash(b"abc");
    assert_eq!(hash[..4], [0xBA, 0x78, 0x16, 0xBF], "it is SHA-256");
}

#[tokio::test]
async fn passwords_are_checked_and_counted() {
    let passwords = PlainPasswords::default();
    let hash = passwords.hash("秘密").await.unwrap();
    assert_eq!(passwords.verify("秘密", Some(&hash)).await, Ok(true));
    assert_eq!(passwords.verify("別", Some(&hash)).await, Ok(false));
    assert_eq!(passwords.verify("秘密", None).await, Ok(false));
    assert_eq!(
        passwords.verify("秘密", Some("nonsense")).await,
        Err(PasswordError::Broken)
    );
    assert_eq!(passwords.checks(), 4);
    passwords.set_busy(true);
    assert_eq!(passwords.hash("秘密").await, Err(PasswordError::Busy));
}

#[tokio::test]
async fn the_messenger_records_and_answers_by_its_script() {
    let messenger = FakeMessenger::new(BOT);
    messenger.answer(Err(SendError::Refused(SendProblem::Forbidden)));
    let message = OutgoingText {
        bot: BOT.to_owned(),
        to: user(1),
        text: "はい".to_owned(),
    };
    let soon = messenger.prepare().await.unwrap();
    let refused = messenger.send_text(&message, soon).await;
    assert_eq!(refused.outcome, Err(SendError::Refused(SendProblem::Forbidden)));
    assert_eq!(messenger.send_text(&message, soon).await.outcome, Ok(()));
    assert_eq!(messenger.sent(), [message.clone(), message]);
    assert_eq!(messenger.texts(), ["はい", "はい"]);
}

#[tokio::test]
async fn held_answers_come_when_they_are_released() {
    let messenger = Arc::new(FakeMessenger::new(BOT));
    messenger.hold();
    let sending = tokio::spawn({
        let messenger = Arc::clone(&messenger);
        async move {
            let message = OutgoingText {
                bot: BOT.to_owned(),
                to: user(1),
                text: "はい".to_owned(),
            };
            let soon = messenger.prepare().await.unwrap();
            messenger.send_text(&message, soon).await
        }
    });
    while messenger.sent().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!sending.is_finished());
    messenger.release();
    assert_eq!(sending.await.unwrap().outcome, Ok(()));
}

#[test]
fn messengers_hand_out_what_is_set_up() {
    let messengers = FakeMessengers::none();
    assert!(messengers.line_works().is_none());
    messengers.set(Some(Arc::new(FakeMessenger::new(BOT))));
    assert_eq!(
        messengers
            .line_works()
            .map(|messenger| messenger.bot())
            .as_deref(),
        Some(BOT)
    );
}

#[test]
fn callbacks_count_with_bot_and_signature_only() {
    let callbacks = FakeCallbacks::new(BOT);
    let body = FakeCallbacks::message(&user(1), start(), "一行目\n二行目");
    let signature = FakeCallbacks::signature(&body);
    let verify = |bot_id, signature| callbacks.verify(CallbackHeaders { bot_id, signature }, &body);
    assert_eq!(verify(None, Some(&*signature)), Err(CallbackRefused::OtherBot));
    assert_eq!(verify(Some(BOT), None), Err(CallbackRefused::Unsigned));
    assert_eq!(verify(Some(BOT), Some("x")), Err(CallbackRefused::WrongSignature));
    let verified = verify(Some(BOT), Some(&*signature)).unwrap();
    assert_eq!(
        (verified.bot.as_str(), verified.issued),
        (BOT, start().to_string())
    );
    let unset = FakeCallbacks::none().verify(CallbackHeaders::default(), &body);
    assert_eq!(unset, Err(CallbackRefused::NotConfigured));
    assert!(FakeCallbacks::none().sample(start()).is_none());
}

#[test]
fn callbacks_are_understood_as_they_were_written() {
    let callbacks = FakeCallbacks::new(BOT);
    let read = |body: Vec<u8>| callbacks.interpret(&body);
    let Ok(InboundEvent::Message(said)) = read(FakeCallbacks::message(&user(1), start(), "一\n二")) else {
        panic!("it is a message");
    };
    assert_eq!(
        (said.user, said.room, said.at, &*said.message),
        (user(1), None, Some(start()), "一\n二")
    );
    let Ok(InboundEvent::Message(said)) = read(FakeCallbacks::room_message(&user(1), &user(2), start(), ""))
    else {
        panic!("it is a message");
    };
    assert_eq!(
        (said.user, said.room, &*said.message),
        (user(1), Some(user(2)), "")
    );
    let (who, at) = (user(1), start());
    assert_eq!(
        read(FakeCallbacks::began(&who, at)),
        Ok(InboundEvent::Began {
            user: who.clone(),
            at
        })
    );
    assert_eq!(
        read(FakeCallbacks::ended(&who, at)),
        Ok(InboundEvent::Ended { user: who, at })
    );
    let kind = "joined".to_owned();
    assert_eq!(
        read(FakeCallbacks::other("joined", at)),
        Ok(InboundEvent::Other { kind })
    );
    for bad in [&b""[..], b"\xFF", b"message\nnever", b"began\nnever\nuser"] {
        assert!(read(bad.to_vec()).is_err());
    }
    let sample = callbacks.sample(start()).unwrap();
    assert_eq!(sample.sender.as_str(), SAMPLE_SENDER);
    assert!(matches!(read(sample.body), Ok(InboundEvent::Message(_))));
}

//! Signing up, logging in, cancelling.

use std::time::Duration;

use futures_util::FutureExt;
use gallery_domain::ports::Clock;
use gallery_domain::services::*;
use gallery_domain::*;

use crate::world::{DAY, HOUR, PASSWORD, World, email, password, sign_up};

fn anybody() -> Client {
    Client::default()
}

#[tokio::test]
async fn a_sign_up_answers_alike_whether_or_not_the_address_is_known() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mails = world.mailer.sent().len();
    world.gallery.accounts.sign_up(&sign_up("ada"), &anybody()).await.expect("as if she were new");
    world.gallery.accounts.sign_up(&sign_up("bob"), &anybody()).await.expect("he is new");
    let sent = world.mailer.sent();
    assert_eq!(sent.len(), mails + 2, "each got one mail");
    assert_eq!((&sent[mails].to, sent[mails].subject.as_str()), (&ada.email, "you have an account"));
    assert_eq!((&sent[mails + 1].to, sent[mails + 1].subject.as_str()), (&email("bob"), "confirm"));
    let weak = |name| SignUp { password: password("short"), ..sign_up(name) };
    let known = world.gallery.accounts.sign_up(&weak("ada"), &anybody()).await.expect_err("too short");
    let unknown = world.gallery.accounts.sign_up(&weak("eve"), &anybody()).await.expect_err("too short");
    assert_eq!(format!("{known:?}"), format!("{unknown:?}"));
}

#[tokio::test]
async fn forgot_password_and_resend_answer_alike_whether_or_not_the_address_is_known() {
    let world = World::new();
    world.person("ada").await;
    for name in ["ada", "nobody"] {
        world.gallery.accounts.forgot_password(&email(name), &anybody()).await.expect(name);
        world.gallery.accounts.resend_code(&email(name), &anybody()).await.expect(name);
    }
    assert!(world.identity.reset_token(&email("nobody")).is_none());
    assert!(world.identity.code(&email("ada")).is_none(), "she is confirmed");
}

#[tokio::test]
async fn signing_up_takes_as_long_whatever_there_is_to_write() {
    for name in ["ada", "bob"] {
        for slow in 0..5 {
            let world = World::new();
            world.person("ada").await;
            let clock = world.clock.clone();
            world.plan.visit(slow, Box::pin(async move { clock.advance(Accounts::SIGN_UP_TAKES / 2) }));
            let before = world.clock.now();
            world.shaky.accounts.sign_up(&sign_up(name), &anybody()).await.expect("sign-up");
            assert_eq!(world.clock.now().since(before), Accounts::SIGN_UP_TAKES, "{name}, when call {slow} takes long");
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_with_a_wrong_password_or_before_confirming() {
    let world = World::new();
    world.person("ada").await;
    world.gallery.accounts.sign_up(&sign_up("bob"), &anybody()).await.expect("sign-up");
    let tries = [("ada", "another long password"), ("nobody", PASSWORD), ("bob", PASSWORD)];
    for (name, typed) in tries {
        let outcome = world.gallery.accounts.log_in(&email(name), &password(typed), &anybody()).await;
        assert!(matches!(outcome, Err(GalleryError::WrongCredentials)), "{name}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_code_confirms_once_and_only_its_own_address() {
    let world = World::new();
    let accounts = &world.gallery.accounts;
    accounts.sign_up(&sign_up("ada"), &anybody()).await.expect("sign-up");
    accounts.sign_up(&sign_up("bob"), &anybody()).await.expect("sign-up");
    let code = world.identity.code(&email("ada")).expect("a code");
    let others = accounts.confirm_email(&email("bob"), &code, &anybody()).await;
    assert!(matches!(others, Err(GalleryError::WrongCode)));
    accounts.confirm_email(&email("ada"), &code, &anybody()).await.expect("her own");
    let again = accounts.confirm_email(&email("ada"), &code, &anybody()).await;
    assert!(matches!(again, Err(GalleryError::WrongCode)));
}

#[tokio::test]
async fn who_cancels_is_out_at_once_on_every_device_and_may_sign_up_again() {
    let world = World::new();
    let ada = world.person("ada").await;
    let accounts = &world.gallery.accounts;
    let (_, phone) = accounts.log_in(&ada.email, &password(PASSWORD), &anybody()).await.expect("log-in");
    world.photo(&ada.actor, "cat").await;
    let wrong = accounts.cancel(&ada.actor, &password("another long password")).await;
    assert!(matches!(wrong, Err(GalleryError::Invalid(_))), "{wrong:?}");
    accounts.cancel(&ada.actor, &password(PASSWORD)).await.expect("cancel");
    for token in [&ada.token, &phone.token] {
        assert!(matches!(accounts.authenticate(token).await, Err(GalleryError::Unauthenticated)));
    }
    let log_in = accounts.log_in(&ada.email, &password(PASSWORD), &anybody()).await;
    assert!(matches!(log_in, Err(GalleryError::WrongCredentials)));
    world.person("ada").await;
    world.pass(DAY).await;
    accounts.act_for(&ada.email).await.expect("the new account is not erased with the old one");
}

#[tokio::test]
async fn who_cancels_is_out_at_once_even_when_nothing_can_be_erased_yet() {
    let world = World::new();
    let ada = world.person("ada").await;
    world.photo(&ada.actor, "cat").await;
    world.plan.break_down("end_sessions");
    world.shaky.accounts.cancel(&ada.actor, &password(PASSWORD)).await.expect("cancel");
    let entered = world.gallery.accounts.authenticate(&ada.token).await;
    assert!(matches!(entered, Err(GalleryError::Unauthenticated)));
    assert!(world.remains(&ada).await.contains(&"photos"));
    world.pass(DAY).await;
    assert_eq!(world.remains(&ada).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_code_that_was_being_mailed_while_the_account_went_is_removed_by_the_second_look() {
    let world = World::new();
    let ada = world.person("ada").await;
    world.gallery.accounts.cancel(&ada.actor, &password(PASSWORD)).await.expect("cancel");
    let credentials = &world.ports.repositories.credentials;
    for purpose in [CodePurpose::ConfirmEmail, CodePurpose::ResetPassword] {
        let code = OneTimeCode {
            purpose,
            address: ada.email.clone(),
            user: ada.actor.user(),
            hash: Sha256Digest::of(b"code"),
            expires_at: world.clock_now().plus(HOUR),
            tries_left: 5,
            password: None,
        };
        credentials.put_code(&code).await.expect("a code");
    }
    world.pass(HOUR).await;
    for purpose in [CodePurpose::ConfirmEmail, CodePurpose::ResetPassword] {
        assert_eq!(credentials.find_code(purpose, &ada.email).await.expect("find"), None, "{purpose:?}");
    }
    assert_eq!(world.remains(&ada).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_sign_up_that_nobody_confirms_is_forgotten_after_seven_days() {
    let world = World::new();
    let users = &world.ports.repositories.users;
    world.gallery.accounts.sign_up(&sign_up("ada"), &anybody()).await.expect("sign-up");
    world.pass(7 * DAY - HOUR).await;
    assert!(users.find_by_email(&email("ada")).await.expect("find").is_some());
    world.pass(HOUR).await;
    assert!(users.find_by_email(&email("ada")).await.expect("find").is_none());
    assert!(world.identity.is_empty());
}

#[tokio::test]
async fn a_confirmed_account_outlives_the_time_of_its_confirmation() {
    let world = World::new();
    world.person("ada").await;
    world.pass(8 * DAY).await;
    world.gallery.accounts.act_for(&email("ada")).await.expect("she is there");
}

#[test]
fn a_sign_up_that_fails_anywhere_can_be_repeated_and_expires_if_it_is_not() {
    use gallery_domain::memory::faulty::Fault;

    let mut cases = 0;
    for call in 0..4 {
        for fault in Fault::ALL {
            for repeats in [false, true] {
                let world = World::new();
                world.plan.fail(call, fault);
                let accounts = world.shaky.accounts.clone();
                let first = accounts.sign_up(&sign_up("ada"), &anybody()).now_or_never();
                assert!(world.plan.calls().len() > call, "it makes that many calls");
                let rest = async {
                    if repeats {
                        if !matches!(first, Some(Ok(()))) {
                            accounts.sign_up(&sign_up("ada"), &anybody()).await.expect("the repetition");
                        }
                        let code = world.identity.code(&email("ada")).expect("a code");
                        accounts.confirm_email(&email("ada"), &code, &anybody()).await.expect("confirmation");
                    }
                    world.pass(8 * DAY).await;
                    world.gallery.accounts.act_for(&email("ada")).await.is_ok()
                };
                let is_there = rest.now_or_never().expect("nothing in memory waits");
                assert_eq!(is_there, repeats, "call {call} {fault:?}");
                let ada = email("ada");
                let user = world.ports.repositories.users.find_by_email(&ada);
                let user = user.now_or_never().expect("nothing in memory waits").expect("find");
                assert_eq!(user.is_some(), repeats, "call {call} {fault:?} leaves a sign-up behind");
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 4 * 5 * 2);
}

#[tokio::test]
async fn a_new_password_ends_every_session_and_a_changed_one_every_other() {
    let world = World::new();
    let ada = world.person("ada").await;
    let accounts = &world.gallery.accounts;
    let (_, phone) = accounts.log_in(&ada.email, &password(PASSWORD), &anybody()).await.expect("log-in");
    let new = password("a second long password");
    accounts.change_password(&ada.actor, &password(PASSWORD), &new).await.expect("change");
    accounts.authenticate(&ada.token).await.expect("the session that changed it goes on");
    assert!(matches!(accounts.authenticate(&phone.token).await, Err(GalleryError::Unauthenticated)));
    accounts.forgot_password(&ada.email, &anybody()).await.expect("forgot");
    let token = world.identity.reset_token(&ada.email).expect("a token");
    accounts.reset_password(&ada.email, &token, &password(PASSWORD), &anybody()).await.expect("reset");
    assert!(matches!(accounts.authenticate(&ada.token).await, Err(GalleryError::Unauthenticated)));
}

#[tokio::test]
async fn too_many_tries_from_one_origin_have_to_wait_and_then_may_go_on() {
    let world = World::new();
    let client = Client { origin: Some("192.0.2.0/24".into()), ..anybody() };
    let mut waits = None;
    for _ in 0..100 {
        match world.gallery.accounts.log_in(&email("ada"), &password(PASSWORD), &client).await {
            Err(GalleryError::WrongCredentials) => {}
            Err(GalleryError::Throttled { retry_after }) => waits = Some(retry_after),
            other => panic!("{other:?}"),
        }
    }
    world.clock.advance(waits.expect("throttled"));
    let outcome = world.gallery.accounts.log_in(&email("ada"), &password(PASSWORD), &client).await;
    assert!(matches!(outcome, Err(GalleryError::WrongCredentials)));
}

#[tokio::test]
async fn a_request_that_cancels_an_account_takes_about_a_second_however_long_each_photo_takes() {
    let world = World::new();
    let ada = world.person("ada").await;
    for number in 0..300 {
        world.photo(&ada.actor, &number.to_string()).await;
    }
    let begin = world.clock_now();
    world.slow().accounts.cancel(&ada.actor, &password(PASSWORD)).await.expect("cancelled");
    assert!(world.clock_now().since(begin) < Duration::from_millis(1_200));
    let left = world.blobs(ada.actor.user()).await.len();
    assert!(0 < left && left < 900, "{left} blobs are left");
    world.pass(2 * DAY).await;
    assert_eq!(world.remains(&ada).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_request_that_cancels_an_account_removes_a_bounded_number_of_albums() {
    let world = World::new();
    let ada = world.person("ada").await;
    for number in 0..700 {
        world.album(&ada.actor, &number.to_string(), &[]).await;
    }
    world.gallery.accounts.cancel(&ada.actor, &password(PASSWORD)).await.expect("cancelled");
    let albums = &world.ports.repositories.albums;
    let left = albums.all(ada.actor.user(), PageRequest::first(PageSize::MAX)).await.expect("all");
    assert!(left.next.is_some(), "the worker does the rest");
    world.pass(2 * DAY).await;
    assert_eq!(world.remains(&ada).await, Vec::<&str>::new());
}

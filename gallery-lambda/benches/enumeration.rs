//! Whether the time of an answer tells that an account exists: log-in with a wrong password, sign-up and "forgot password", and wrong codes and
//! links, for addresses that have an account, a code or a link and for addresses that have none, turn by turn, over HTTP without a network.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use gallery_domain::services::SignUp;
use gallery_domain::{Password, PersonName, Quota, Revision, User, UserId, UserStatus};
use gallery_lambda::{App, HttpSettings, router};
use support::{Bench, gallery, median, millis, time};
use tower::ServiceExt;

const CALLS: usize = 200;
const PASSWORD: &str = "seventeen green umbrellas";

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = gallery(folder.path()).await;
    for number in 0..CALLS {
        make_account(&bench, number).await;
        sign_up(&bench, number).await;
    }
    let router = router(App {
        gallery: bench.gallery.clone(),
        gateway: bench.connected.gateway.clone(),
        // Each call comes from a place of its own, for those of one place have to wait for each other.
        settings: HttpSettings { trust_forwarded_for: true, ..HttpSettings::default() },
        on_work: Arc::new(|| ()),
    });

    println!("median of {CALLS} calls       account    no account   ratio");
    for (path, answer) in [
        ("/login", StatusCode::UNAUTHORIZED),
        ("/signup", StatusCode::ACCEPTED),
        ("/forgotpassword", StatusCode::ACCEPTED),
        ("/resetpassword", StatusCode::BAD_REQUEST),
        ("/confirmemail", StatusCode::BAD_REQUEST),
        ("/confirmemail/resend", StatusCode::ACCEPTED),
    ] {
        let mut times = [Vec::new(), Vec::new()];
        for number in 0..CALLS {
            // Those of the first kind have a code by having signed up, and a link by having forgotten their password right before.
            let kinds = if matches!(path, "/confirmemail" | "/confirmemail/resend") {
                ["waiting", "absent"]
            } else {
                ["known", "unknown"]
            };
            for (whose, times) in kinds.iter().zip(&mut times) {
                let email = format!("{whose}{number}@example.org");
                times.push(time(ask(&router, path, &email, answer)).await.0);
                // A mail is sent behind the answer: it must not slow the next call.
                bench.connected.settle().await;
            }
        }
        let [known, unknown] = times.map(median);
        let ratio = known.as_secs_f64() / unknown.as_secs_f64();
        println!("{path:<18} {:>12.2} ms {:>10.2} ms {ratio:>7.3}", millis(known), millis(unknown));
    }
}

async fn make_account(bench: &Bench, number: usize) {
    let sign_up = SignUp {
        email: format!("known{number}@example.org").parse().expect("an address"),
        password: Password::parse(PASSWORD).expect("a password"),
        name: PersonName::parse("Known").expect("a name"),
    };
    bench.gallery.accounts.create_confirmed(&sign_up).await.expect("an account");
}

/// Begins an account that waits for its confirmation.
async fn sign_up(bench: &Bench, number: usize) {
    let email = format!("waiting{number}@example.org").parse().expect("an address");
    let id = bench.connected.ports.ids.new_id(bench.gallery.now());
    let user = User {
        id: UserId::from_uuid(id),
        email,
        name: PersonName::parse("Waiting").expect("a name"),
        status: UserStatus::Unconfirmed,
        quota: Quota::default(),
        created_at: bench.gallery.now(),
        revision: Revision::FIRST,
    };
    bench.connected.ports.repositories.users.insert(&user).await.expect("a user");
    let password = Password::parse(PASSWORD).expect("a password");
    bench.connected.ports.identity.register(user.id, &user.email, &password).await.expect("a code");
}

async fn ask(router: &Router, path: &str, email: &str, answer: StatusCode) {
    let body = match path {
        "/login" => format!(r#"{{"email": "{email}", "password": "not the password at all"}}"#),
        "/resetpassword" => {
            format!(r#"{{"email": "{email}", "token": "{}", "password": "{PASSWORD}"}}"#, "x".repeat(43))
        }
        "/confirmemail" => format!(r#"{{"email": "{email}", "code": "00000000"}}"#),
        "/signup" => format!(r#"{{"email": "{email}", "password": "{PASSWORD}", "name": "Somebody"}}"#),
        _ => format!(r#"{{"email": "{email}"}}"#),
    };
    static PLACES: AtomicU16 = AtomicU16::new(0);
    let [high, low] = PLACES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-forwarded-for", format!("10.{high}.{low}.1"))
        .body(Body::from(body));
    let response = router.clone().oneshot(request.expect("a request")).await.expect("an answer");
    assert_eq!(response.status(), answer, "{path} for {email}");
}

//! Whether the time of an answer tells that an account exists: log-in with a wrong password, sign-up and "forgot password" for accounts that
//! exist and for accounts that do not, turn by turn, over HTTP without a network.

mod support;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use gallery_domain::services::SignUp;
use gallery_domain::{Password, PersonName};
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
    }
    let router = router(App {
        gallery: bench.gallery.clone(),
        gateway: bench.connected.gateway.clone(),
        settings: HttpSettings::default(),
        on_work: Arc::new(|| ()),
    });

    println!("median of {CALLS} calls       account    no account   ratio");
    for (path, answer) in [
        ("/login", StatusCode::UNAUTHORIZED),
        ("/signup", StatusCode::ACCEPTED),
        ("/forgotpassword", StatusCode::ACCEPTED),
    ] {
        let mut times = [Vec::new(), Vec::new()];
        for number in 0..CALLS {
            for (whose, times) in ["known", "unknown"].iter().zip(&mut times) {
                let email = format!("{whose}{number}@example.org");
                times.push(time(ask(&router, path, &email, answer)).await);
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

async fn ask(router: &Router, path: &str, email: &str, answer: StatusCode) {
    let body = match path {
        "/login" => format!(r#"{{"email": "{email}", "password": "not the password at all"}}"#),
        "/signup" => format!(r#"{{"email": "{email}", "password": "{PASSWORD}", "name": "Somebody"}}"#),
        _ => format!(r#"{{"email": "{email}"}}"#),
    };
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json").body(Body::from(body));
    let response = router.clone().oneshot(request.expect("a request")).await.expect("an answer");
    assert_eq!(response.status(), answer, "{path} for {email}");
}

use axum::http::{StatusCode, header};
use serde_json::json;

use crate::harness::{Call, Harness, PASSWORD};

#[tokio::test]
async fn a_person_signs_up_confirms_and_logs_in() {
    let harness = Harness::new();
    let sign_up = json!({"email": "Ada@Example.org", "password": PASSWORD, "name": "Ada"});
    harness.send(Call::post("/signup").json(sign_up)).await.with_status(StatusCode::ACCEPTED);
    let log_in = json!({"email": "ada@example.org", "password": PASSWORD});
    harness.send(Call::post("/login").json(log_in)).await.problem(401, "wrong-credentials");

    let mail = harness.mail_to("ada@example.org").await;
    let code = mail.lines().find(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit())).unwrap();
    let wrong = json!({"email": "ada@example.org", "code": "00000000"});
    harness.send(Call::post("/confirmemail").json(wrong)).await.problem(400, "wrong-code");
    let right = json!({"email": "ada@example.org", "code": code});
    harness.send(Call::post("/confirmemail").json(right.clone())).await.with_status(StatusCode::NO_CONTENT);
    harness.send(Call::post("/confirmemail").json(right)).await.problem(400, "wrong-code");

    let ada = harness.log_in("ada@example.org", PASSWORD).await;
    let account = ada.get("/account").await.ok();
    assert_eq!(account["email"], "ada@example.org");
    assert_eq!(account["usage"], json!({"bytes": 0, "photos": 0, "pendingUploads": 0}));
    assert!(account["quota"]["bytes"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_stranger_who_signs_up_with_ones_address_never_gets_in() {
    const STRANGERS: &str = "a loud ride through the desert";
    for passwords in [[PASSWORD, STRANGERS], [STRANGERS, PASSWORD]] {
        let harness = Harness::new();
        for password in passwords {
            let sign_up = json!({"email": "ada@example.org", "password": password, "name": "Ada"});
            harness.send(Call::post("/signup").json(sign_up)).await.with_status(StatusCode::ACCEPTED);
        }
        let mail = harness.mail_to("ada@example.org").await;
        let code = mail.lines().find(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit())).unwrap();
        let confirm = json!({"email": "ada@example.org", "code": code});
        harness.send(Call::post("/confirmemail").json(confirm)).await.with_status(StatusCode::NO_CONTENT);
        for password in passwords {
            let log_in = json!({"email": "ada@example.org", "password": password});
            harness.send(Call::post("/login").json(log_in)).await.problem(401, "wrong-credentials");
        }
        assert!(mail.contains("Forgot password"), "{mail}");
        let forgot = json!({"email": "ada@example.org"});
        harness.send(Call::post("/forgotpassword").json(forgot)).await.with_status(StatusCode::ACCEPTED);
        let mail = harness.mail_to("ada@example.org").await;
        let token = mail.split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
        let reset = json!({"email": "ada@example.org", "token": token, "password": PASSWORD});
        harness.send(Call::post("/resetpassword").json(reset)).await.with_status(StatusCode::NO_CONTENT);
        harness.log_in("ada@example.org", PASSWORD).await;
    }
}

#[tokio::test]
async fn signing_up_answers_alike_whether_or_not_the_address_has_an_account() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    for email in [ada.email.as_str(), "nobody@example.org"] {
        let sign_up = json!({"email": email, "password": PASSWORD, "name": "Somebody"});
        let answer = harness.send(Call::post("/signup").json(sign_up)).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::ACCEPTED, 0));
        let forgot = harness.send(Call::post("/forgotpassword").json(json!({"email": email}))).await;
        assert_eq!((forgot.status, forgot.body.len()), (StatusCode::ACCEPTED, 0));
        let resend = harness.send(Call::post("/confirmemail/resend").json(json!({"email": email}))).await;
        assert_eq!((resend.status.as_u16() / 100, resend.body.is_empty()), (2, true));
    }
}

#[tokio::test]
async fn sessions_are_listed_and_revoked_one_by_one() {
    let harness = Harness::new();
    let first = harness.user("ada").await;
    let second = harness.log_in(&first.email, PASSWORD).await;
    let sessions = first.get("/sessions").await.ok()["items"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    let end = Call::delete(&format!("/sessions/{}", other["id"].as_str().unwrap()));
    first.send(end).await.with_status(StatusCode::NO_CONTENT);
    second.get("/account").await.problem(401, "unauthenticated");
    first.get("/account").await.ok();
    first.send(Call::post("/logout")).await.with_status(StatusCode::NO_CONTENT);
    first.get("/account").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session() {
    let harness = Harness::new();
    let (here, new) = (harness.user("ada").await, "another walk along the shore");
    let there = harness.log_in(&here.email, PASSWORD).await;
    let wrong = json!({"oldPassword": "something else entirely", "newPassword": new});
    assert_eq!(here.send(Call::post("/account/password").json(wrong)).await.refused(400), ["/oldPassword"]);
    let short = json!({"oldPassword": PASSWORD, "newPassword": "short"});
    assert_eq!(here.send(Call::post("/account/password").json(short)).await.refused(400), ["/newPassword"]);
    let right = json!({"oldPassword": PASSWORD, "newPassword": new});
    here.send(Call::post("/account/password").json(right)).await.with_status(StatusCode::NO_CONTENT);
    here.get("/account").await.ok();
    there.get("/account").await.problem(401, "unauthenticated");
    harness.log_in(&here.email, new).await;
}

#[tokio::test]
async fn a_mailed_link_sets_a_new_password_and_ends_every_session() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let forgot = json!({"email": ada.email});
    harness.send(Call::post("/forgotpassword").json(forgot)).await.with_status(StatusCode::ACCEPTED);
    let mail = harness.mail_to(&ada.email).await;
    let token = mail.split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
    let new = "another walk along the shore";
    let reset = json!({"email": ada.email, "token": token, "password": new});
    harness.send(Call::post("/resetpassword").json(reset.clone())).await.with_status(StatusCode::NO_CONTENT);
    harness.send(Call::post("/resetpassword").json(reset)).await.problem(400, "wrong-code");
    ada.get("/account").await.problem(401, "unauthenticated");
    harness.log_in(&ada.email, new).await;
}

#[tokio::test]
async fn an_account_is_renamed_at_the_revision_that_was_read() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let tag = ada.get("/account").await.header(header::ETAG).to_owned();
    let rename = || Call::patch("/account").header("if-match", &tag).json(json!({"name": "Ada L."}));
    let renamed = ada.send(rename()).await;
    assert_eq!(renamed.ok()["name"], "Ada L.");
    assert_ne!(renamed.header(header::ETAG), tag);
    let again = Call::patch("/account").header("if-match", &tag).json(json!({"name": "Countess"}));
    ada.send(again).await.problem(412, "stale");
}

#[tokio::test]
async fn the_session_of_a_cancelled_account_opens_nothing() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let wrong = Call::delete("/account").json(json!({"password": "something else entirely"}));
    assert_eq!(ada.send(wrong).await.refused(400), ["/password"]);
    let cancel = Call::delete("/account").json(json!({"password": PASSWORD}));
    ada.send(cancel).await.with_status(StatusCode::ACCEPTED);
    ada.get("/account").await.problem(401, "unauthenticated");
    ada.get("/photos").await.problem(401, "unauthenticated");
    let log_in = json!({"email": ada.email, "password": PASSWORD});
    harness.send(Call::post("/login").json(log_in)).await.problem(401, "wrong-credentials");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_says_for_how_long() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let log_in = || Call::post("/login").json(json!({"email": ada.email, "password": "something else entirely"}));
    let mut answer = harness.send(log_in()).await;
    for _ in 0..100 {
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        answer.problem(401, "wrong-credentials");
        answer = harness.send(log_in()).await;
    }
    answer.problem(429, "throttled");
    let wait: u64 = answer.header(header::RETRY_AFTER).parse().unwrap();
    harness.advance(wait);
    harness.log_in(&ada.email, PASSWORD).await;
}

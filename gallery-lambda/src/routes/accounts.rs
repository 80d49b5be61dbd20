//! Signing up, logging in, cancelling.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use gallery_domain::SessionId;

use crate::problem::Problem;
use crate::request::{Id, Json, Visitor};
use crate::session_auth::{Authenticated, check_same_origin, forget_cookie, session_cookie};
use crate::{Shared, etag, wire};

/// Sign up
///
/// Mails a code of 8 digits; the password counts once that is confirmed. The answer is the same whether or not the address has an account. Where an
/// address is signed up with two passwords before it is confirmed, none of them counts: `forgotpassword` sets one.
#[utoipa::path(post, path = "/signup", operation_id = "signup", tag = "accounts", security(()), request_body = wire::SignUp,
    responses((status = 202, description = "A mail is on its way")))]
pub(super) async fn sign_up(
    State(app): State<Shared>,
    Visitor(client): Visitor,
    Json(sign_up): Json<wire::SignUp>,
) -> Result<StatusCode, Problem> {
    app.gallery.accounts.sign_up(&sign_up, &client).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Confirm an e-mail address
///
/// A code can be tried 5 times within 10 minutes, and works once.
#[utoipa::path(post, path = "/confirmemail", operation_id = "confirmemail", tag = "accounts", security(()),
    request_body = wire::ConfirmEmail, responses((status = 204, description = "Confirmed: log in")))]
pub(super) async fn confirm_email(
    State(app): State<Shared>,
    Visitor(client): Visitor,
    Json((email, code)): Json<wire::ConfirmEmail>,
) -> Result<StatusCode, Problem> {
    app.gallery.accounts.confirm_email(&email, &code, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask for another code
///
/// At most every 60 seconds and 5 times an hour. The answer is the same whether or not the address waits for one.
#[utoipa::path(post, path = "/confirmemail/resend", operation_id = "resendcode", tag = "accounts", security(()),
    request_body = wire::MailTo, responses((status = 202, description = "If the address waits for a code, a mail is on its way")))]
pub(super) async fn resend_code(
    State(app): State<Shared>,
    Visitor(client): Visitor,
    Json(email): Json<wire::MailTo>,
) -> Result<StatusCode, Problem> {
    app.gallery.accounts.resend_code(&email, &client).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Log in
///
/// Programs get a bearer token; browsers ask for a cookie.
#[utoipa::path(post, path = "/login", operation_id = "login", tag = "accounts", security(()), request_body = wire::LogIn,
    responses((status = 200, description = "Logged in", body = wire::LoggedIn)))]
pub(super) async fn log_in(
    State(app): State<Shared>,
    headers: HeaderMap,
    Visitor(client): Visitor,
    Json(log_in): Json<wire::LogIn>,
) -> Result<impl IntoResponse, Problem> {
    if log_in.cookie {
        // Else a page of another origin could log its reader in as somebody else.
        check_same_origin(&headers, &app.settings)?;
    }
    let (_, opened) = app.gallery.accounts.log_in(&log_in.email, &log_in.password, &client).await?;
    let cookie = log_in.cookie.then(|| (header::SET_COOKIE, session_cookie(&app.settings, &opened.token)));
    Ok((AppendHeaders(cookie), axum::Json(wire::LoggedIn::new(&opened, log_in.cookie))))
}

/// Log out
///
/// Ends the session that the request comes in.
#[utoipa::path(post, path = "/logout", operation_id = "logout", tag = "accounts", responses((status = 204, description = "Logged out")))]
pub(super) async fn log_out(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
) -> Result<impl IntoResponse, Problem> {
    app.gallery.accounts.log_out(&actor).await?;
    Ok((StatusCode::NO_CONTENT, forgetting(&app)))
}

/// List sessions
///
/// Where one is logged in, last logged in first.
#[utoipa::path(get, path = "/sessions", operation_id = "getsessions", tag = "accounts",
    responses((status = 200, description = "The sessions", body = wire::Page<wire::Session>)))]
pub(super) async fn list_sessions(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
) -> Result<axum::Json<wire::Page<wire::Session>>, Problem> {
    let sessions = app.gallery.accounts.sessions(&actor).await?;
    let sessions = sessions.iter().map(|session| wire::Session::new(session, actor.session())).collect();
    Ok(axum::Json(wire::Page::whole(sessions)))
}

/// End a session
///
/// Logs out there. Ending one that is over already succeeds.
#[utoipa::path(delete, path = "/sessions/{id}", operation_id = "deletesession", tag = "accounts",
    params(("id" = String, Path, description = "The session")), responses((status = 204, description = "There is no such session any more")))]
pub(super) async fn end_session(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(session): Id<SessionId>,
) -> Result<StatusCode, Problem> {
    app.gallery.accounts.end_session(&actor, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask to set a new password
///
/// Mails a link. The answer is the same whether or not the address has an account.
#[utoipa::path(post, path = "/forgotpassword", operation_id = "forgotpassword", tag = "accounts", security(()),
    request_body = wire::MailTo, responses((status = 202, description = "If the address has an account, a mail is on its way")))]
pub(super) async fn forgot_password(
    State(app): State<Shared>,
    Visitor(client): Visitor,
    Json(email): Json<wire::MailTo>,
) -> Result<StatusCode, Problem> {
    app.gallery.accounts.forgot_password(&email, &client).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Set a new password with the link that was mailed
///
/// Every session ends.
#[utoipa::path(post, path = "/resetpassword", operation_id = "resetpassword", tag = "accounts", security(()),
    request_body = wire::ResetPassword, responses((status = 204, description = "Set: log in with it")))]
pub(super) async fn reset_password(
    State(app): State<Shared>,
    Visitor(client): Visitor,
    Json((email, token, password)): Json<wire::ResetPassword>,
) -> Result<StatusCode, Problem> {
    app.gallery.accounts.reset_password(&email, &token, &password, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get one's account
#[utoipa::path(get, path = "/account", operation_id = "getaccount", tag = "accounts",
    responses((status = 200, description = "The account", body = wire::Account, headers(("ETag" = String, description = "Its revision")))))]
pub(super) async fn get_account(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
) -> Result<impl IntoResponse, Problem> {
    let account = app.gallery.accounts.account(&actor).await?;
    Ok((etag::of(account.user.revision), axum::Json(wire::Account::from(&account))))
}

/// Change one's account
#[utoipa::path(patch, path = "/account", operation_id = "updateaccount", tag = "accounts",
    params(("If-Match" = Option<String>, Header, description = "The ETag that was read: refused if it is another by now")),
    request_body = wire::AccountPatch,
    responses((status = 200, description = "The account", body = wire::Account, headers(("ETag" = String, description = "Its revision")))))]
pub(super) async fn update_account(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    headers: HeaderMap,
    Json(name): Json<wire::AccountPatch>,
) -> Result<impl IntoResponse, Problem> {
    let account = app.gallery.accounts.rename(&actor, &name, etag::if_match(&headers)?).await?;
    Ok((etag::of(account.user.revision), axum::Json(wire::Account::from(&account))))
}

/// Change one's password
///
/// Every session but the one that the request comes in ends.
#[utoipa::path(post, path = "/account/password", operation_id = "changepassword", tag = "accounts",
    request_body = wire::PasswordChange, responses((status = 204, description = "Changed")))]
pub(super) async fn change_password(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Json((old, new)): Json<wire::PasswordChange>,
) -> Result<StatusCode, Problem> {
    app.gallery.accounts.change_password(&actor, &old, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cancel one's account
///
/// Every session ends at once, and everything is erased: what is not done when the answer comes, soon after.
#[utoipa::path(delete, path = "/account", operation_id = "cancelaccount", tag = "accounts",
    request_body = wire::Cancellation, responses((status = 202, description = "Cancelled; everything is being erased")))]
pub(super) async fn cancel_account(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Json(password): Json<wire::Cancellation>,
) -> Result<impl IntoResponse, Problem> {
    app.gallery.accounts.cancel(&actor, &password).await?;
    (app.on_work)();
    Ok((StatusCode::ACCEPTED, forgetting(&app)))
}

fn forgetting(app: &Shared) -> [(header::HeaderName, HeaderValue); 1] {
    [(header::SET_COOKIE, forget_cookie(&app.settings))]
}

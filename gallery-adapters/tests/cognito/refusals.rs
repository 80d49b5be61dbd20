//! The pool itself refuses the wrong thing, whatever the gallery does around it: a server that takes anything would prove nothing.

use std::error::Error;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, UserStatusType};
use gallery_adapters::cognito::CognitoIdentity;
use gallery_domain::memory::MemoryStore;
use gallery_domain::ports::{IdentityError, IdentityProvider};
use gallery_domain::{Client as Caller, EmailAddress, Password, UserId};
use uuid::Uuid;

use crate::aws_servers::{Server, user_without_rights};
use crate::cognito::World;

const GOOD: &str = "seven quiet walruses";
const OTHER: &str = "nine loud flamingos";

fn ada() -> (UserId, EmailAddress) {
    (UserId::from_uuid(Uuid::from_u128(7)), "ada@example.org".parse().unwrap())
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

async fn world() -> World {
    World::new(MemoryStore::new().repositories()).await
}

/// Somebody whose password is the good one.
async fn with_ada() -> (World, Client) {
    let world = world().await;
    let (user, email) = ada();
    world.identity.register_confirmed(user, &email, &password(GOOD)).await.unwrap();
    let client = Client::new(&world.config);
    (world, client)
}

async fn log_in(identity: &CognitoIdentity, text: &str) -> Result<(), IdentityError> {
    let (user, email) = ada();
    identity.log_in(Some(user), &email, &password(text), &Caller::default()).await.map(drop)
}

fn secret_hash(world: &World, name: &str, secret: &str) -> String {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let hash = hmac::sign(&key, format!("{name}{}", world.pool.client_id).as_bytes());
    data_encoding::BASE64.encode(hash.as_ref())
}

#[tokio::test]
async fn the_pool_lets_in_the_right_password_by_the_clients_secret_and_no_other() {
    let (world, client) = with_ada().await;
    let name = ada().0.to_string();
    let ask = async |text: &str, hash: Option<String>| {
        let mut request = client.admin_initiate_auth().user_pool_id(&world.pool.pool).client_id(&world.pool.client_id);
        request = request.auth_flow(AuthFlowType::AdminUserPasswordAuth);
        request = request.auth_parameters("USERNAME", &name).auth_parameters("PASSWORD", text);
        if let Some(hash) = hash {
            request = request.auth_parameters("SECRET_HASH", hash);
        }
        request.send().await.map(drop).map_err(|error| error.code().unwrap_or_default().to_owned())
    };
    let right = || Some(secret_hash(&world, &name, world.secret()));
    let refused = Err("NotAuthorizedException".to_owned());
    assert_eq!(ask(OTHER, right()).await, refused);
    assert_eq!(ask(GOOD, None).await, refused);
    assert_eq!(ask(GOOD, Some(secret_hash(&world, &name, "another"))).await, refused);
    assert_eq!(ask(GOOD, Some(secret_hash(&world, "another", world.secret()))).await, refused);
    assert_eq!(ask(GOOD, right()).await, Ok(()));
}

#[tokio::test]
async fn the_pool_takes_no_password_from_whoever_merely_knows_the_client() {
    let (world, client) = with_ada().await;
    let name = ada().0.to_string();
    let request = client.initiate_auth().client_id(&world.pool.client_id).auth_flow(AuthFlowType::UserPasswordAuth);
    let request = request.auth_parameters("USERNAME", &name).auth_parameters("PASSWORD", GOOD);
    let refused = request.auth_parameters("SECRET_HASH", secret_hash(&world, &name, world.secret())).send().await;
    assert_eq!(refused.unwrap_err().code(), Some("InvalidParameterException"), "the flow is not allowed");
    let unsigned = client.sign_up().client_id(&world.pool.client_id).username("eve").password(OTHER).send().await;
    assert_eq!(unsigned.unwrap_err().code(), Some("NotAuthorizedException"), "the secret is missing");
}

#[tokio::test]
async fn the_pool_confirms_nobody_by_a_wrong_code_of_its_own() {
    let (world, client) = with_ada().await;
    let hash = secret_hash(&world, "eve", world.secret());
    let request = client.sign_up().client_id(&world.pool.client_id).username("eve").password(OTHER);
    request.secret_hash(&hash).send().await.unwrap();
    let request = client.confirm_sign_up().client_id(&world.pool.client_id).username("eve").secret_hash(&hash);
    let refused = request.confirmation_code("000000").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("CodeMismatchException"));
    let eve = client.admin_get_user().user_pool_id(&world.pool.pool).username("eve").send().await.unwrap();
    assert_eq!(eve.user_status(), Some(&UserStatusType::Unconfirmed));
}

#[tokio::test]
async fn the_pool_holds_the_password_and_the_store_none() {
    let (world, client) = with_ada().await;
    let (user, email) = ada();
    let kept = world.store.credentials.find(user).await.unwrap().unwrap();
    assert!(kept.password.as_phc().starts_with("cognito:"), "a mark, and no hash");
    log_in(&world.identity, GOOD).await.unwrap();

    // What an administrator sets in the pool counts, and what they delete is gone.
    let request = client.admin_set_user_password().user_pool_id(&world.pool.pool).username(user.to_string());
    request.password(OTHER).permanent(true).send().await.unwrap();
    assert!(matches!(log_in(&world.identity, GOOD).await, Err(IdentityError::WrongCredentials)));
    log_in(&world.identity, OTHER).await.unwrap();
    // One for once has to be replaced by the link.
    let request = client.admin_set_user_password().user_pool_id(&world.pool.pool).username(user.to_string());
    request.password(GOOD).permanent(false).send().await.unwrap();
    assert!(matches!(log_in(&world.identity, GOOD).await, Err(IdentityError::WrongCredentials)));

    world.identity.remove(user, &email).await.unwrap();
    let gone = client.admin_get_user().user_pool_id(&world.pool.pool).username(user.to_string()).send().await;
    assert_eq!(
        gone.unwrap_err().code(),
        Some("UserNotFoundException"),
        "a cancelled account leaves nothing in the pool"
    );
}

#[tokio::test]
async fn an_address_is_in_the_pool_once_it_is_confirmed() {
    let world = world().await;
    let client = Client::new(&world.config);
    let (user, email) = ada();
    world.identity.register(user, &email, &password(GOOD)).await.unwrap();
    let attributes = async || {
        let found =
            client.admin_get_user().user_pool_id(&world.pool.pool).username(user.to_string()).send().await.unwrap();
        let attributes = found.user_attributes().iter();
        attributes.map(|it| (it.name().to_owned(), it.value().unwrap_or_default().to_owned())).collect::<Vec<_>>()
    };
    assert!(attributes().await.iter().all(|(name, _)| !name.starts_with("email")), "nobody has proved it yet");
    let text = world.mailer.sent().pop().unwrap().text;
    let code = text.lines().find(|line| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit())).unwrap();
    world.identity.confirm(&email, code).await.unwrap();
    for (name, value) in [("email", "ada@example.org"), ("email_verified", "true")] {
        assert!(attributes().await.contains(&(name.to_owned(), value.to_owned())), "{name}");
    }
    assert_eq!(world.mailer.sent().len(), 1, "the gallery mails");
    let by_pool = crate::mails::all(&world.server);
    assert!(!by_pool.iter().any(|(_, mail)| mail.text.contains(&user.to_string())), "and Cognito does not");
}

#[tokio::test]
async fn a_pool_that_is_lost_is_filled_again_by_links() {
    let (world, client) = with_ada().await;
    let (user, email) = ada();
    client.admin_delete_user().user_pool_id(&world.pool.pool).username(user.to_string()).send().await.unwrap();
    assert!(matches!(log_in(&world.identity, GOOD).await, Err(IdentityError::WrongCredentials)));
    world.identity.forgot_password(Some(user), &email).await.unwrap();
    world.identity.settle().await;
    let text = world.mailer.sent().pop().unwrap().text;
    let token = text.lines().find_map(|line| line.split_once("&token=")).unwrap().1;
    world.identity.reset_password(&email, token, &password(OTHER), &Caller::default()).await.unwrap();
    log_in(&world.identity, OTHER).await.unwrap();
}

#[tokio::test]
async fn a_pool_that_cannot_be_used_is_said_with_what_to_mend() {
    let (world, _) = with_ada().await;
    assert_eq!(
        world.identity.check().await.unwrap(),
        [""; 0],
        "a pool that was made for the gallery is as it needs it"
    );
    let (key, secret) = user_without_rights(&world.server).await;
    let nowhere = Server { endpoint: "http://127.0.0.1:9".parse().unwrap(), ..world.server.clone() };
    let stranger = world.server.by(&key, &secret);
    for (server, client_id, part) in [
        (&world.server, "another", "there is no such user pool, or it has no such app client"),
        (&stranger, &*world.pool.client_id, "the credentials lack a permission"),
        (&nowhere, &*world.pool.client_id, "cannot be reached"),
    ] {
        let failure = world.by(client_id, world.secret(), server).await.check().await.unwrap_err();
        let said = failure.source().unwrap().to_string();
        assert!(said.contains(part), "{said}");
    }
    let wrong = world.by(&world.pool.client_id, "another", &world.server).await;
    let faults = wrong.check().await.unwrap();
    assert!(faults.iter().any(|fault| fault.contains("GALLERY_COGNITO_CLIENT_SECRET")), "{faults:?}");
    // That is no wrong password of anybody's.
    let refused = log_in(&wrong, GOOD).await;
    let Err(IdentityError::Backend(failure)) = refused else { panic!("{refused:?}") };
    assert!(failure.source().unwrap().to_string().contains("GALLERY_COGNITO_CLIENT_SECRET"));
}

#[tokio::test]
async fn a_pool_that_was_made_for_something_else_is_described_fault_by_fault() {
    let (world, client) = with_ada().await;
    let pool = client.create_user_pool().pool_name("else").send().await.unwrap();
    let pool = pool.user_pool().unwrap().id().unwrap().to_owned();
    let made = client.create_user_pool_client().user_pool_id(&pool).client_name("else").send().await.unwrap();
    let client_id = made.user_pool_client().unwrap().client_id().unwrap().to_owned();
    let elsewhere = World { pool: gallery_adapters::cognito::CreatedPool { pool, ..world.pool.clone() }, ..world };
    let faults = elsewhere.by(&client_id, "x", &elsewhere.server).await.check().await.unwrap();
    for part in [
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "has no secret",
        "tells who exists",
        "anybody can sign up",
        "password policy",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(part)), "{part}: {faults:?}");
    }
}

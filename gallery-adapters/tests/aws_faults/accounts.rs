//! Accounts: Cognito and SES.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use futures_util::{StreamExt, stream};
use gallery_adapters::cognito::{CognitoIdentity, CognitoSettings, CreatedPool, create_pool};
use gallery_adapters::mail::Ses;
use gallery_adapters::password_identity::IdentityPorts;
use gallery_adapters::system::SystemIds;
use gallery_domain::memory::{ManualClock, MemoryBlobs, MemoryImages, MemoryStore};
use gallery_domain::ports::Repositories;
use gallery_domain::services::{Gallery, Policy, Ports, SignUp};
use gallery_domain::{Actor, Client, EmailAddress, GalleryError, Password, PersonName};
use url::Url;

use crate::aws_servers::{MINISTACK, Server, unique};
use crate::faulty_proxy::{Fault, Plan, Proxy, Service};
use crate::mails::{sent_from, verified_domain};
use crate::{through, unless_silent, ways};

const OLD: &str = "a rather long password";
const NEW: &str = "a second long password";

/// How many cases run at once.
const AT_ONCE: usize = 6;

/// What somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UseCase {
    SignUp,
    ConfirmEmail,
    LogIn,
    ChangePassword,
    ForgotPassword,
    ResetPassword,
    Cancel,
}

impl UseCase {
    const ALL: [Self; 7] = [
        Self::SignUp,
        Self::ConfirmEmail,
        Self::LogIn,
        Self::ChangePassword,
        Self::ForgotPassword,
        Self::ResetPassword,
        Self::Cancel,
    ];
}

/// A user pool and a sender, and a second way to both.
struct OnAws {
    server: Server,
    pool: CreatedPool,
    /// Whom mails come from.
    from: String,
    /// Of the second way.
    plan: Arc<Plan>,
    to_pool: Proxy,
    to_mail: Proxy,
}

impl OnAws {
    async fn new(pool: &CreatedPool) -> Self {
        let (server, plan) = (Server::named(MINISTACK), Arc::new(Plan::default()));
        let to_pool = Proxy::to(server.endpoint.as_str(), Service::Cognito, plan.clone()).await;
        let to_mail = Proxy::to(server.endpoint.as_str(), Service::Ses, plan.clone()).await;
        let from = format!("{}@example.org", unique("gallery"));
        Self { server, pool: pool.clone(), from, plan, to_pool, to_mail }
    }

    /// A gallery over the pool and the mail, by the second way if it is shaky.
    async fn gallery(&self, repositories: &Repositories, clock: &Arc<ManualClock>, shaky: bool) -> Accounts {
        let config = self.server.config().await;
        let ids = Arc::new(SystemIds::default());
        let (pool_config, mail_config) = if shaky {
            (through(&self.to_pool, &config), through(&self.to_mail, &config))
        } else {
            (config.clone(), config)
        };
        let endpoint = if shaky { self.to_pool.url() } else { self.server.endpoint.to_string() };
        let url = format!("cognito://{}?client_id={}&endpoint={endpoint}", self.pool.pool, self.pool.client_id);
        let settings = CognitoSettings::new(&url, self.pool.client_secret.clone()).unwrap();
        let ports = IdentityPorts {
            credentials: repositories.credentials.clone(),
            sessions: repositories.sessions.clone(),
            rate_limiter: repositories.rate_limiter.clone(),
            mailer: Arc::new(Ses::new(&format!("ses:?from={}", self.from).parse().unwrap(), &mail_config)),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let site: Url = "https://photos.example".parse().unwrap();
        let identity = Arc::new(CognitoIdentity::new(&settings, &pool_config, ports, site));
        let blobs = Arc::new(MemoryBlobs::new(ids.clone(), "/blobs"));
        let ports = Ports {
            repositories: repositories.clone(),
            blobs: blobs.clone(),
            uploads: blobs,
            identity: identity.clone(),
            images: Arc::new(MemoryImages),
            clock: clock.clone(),
            ids,
        };
        Accounts { gallery: Gallery::new(ports, Policy::default()), identity }
    }

    /// Whether the pool has anybody of this name.
    async fn pool_knows(&self, name: &str) -> bool {
        let client = aws_sdk_cognitoidentityprovider::Client::new(&self.server.config().await);
        match client.admin_get_user().user_pool_id(&self.pool.pool).username(name).send().await {
            Ok(_) => true,
            Err(error) if error.code() == Some("UserNotFoundException") => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// The accounts of a gallery.
struct Accounts {
    gallery: Gallery,
    identity: Arc<CognitoIdentity>,
}

/// What somebody has in hand who asks for something.
struct Ada<'a> {
    on_aws: &'a OnAws,
    email: EmailAddress,
    /// Where she is logged in.
    actor: Option<Actor>,
}

impl Ada<'_> {
    /// The last line of the mails to her that begins with `mark`, without it.
    fn mailed(&self, is_it: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mails = sent_from(&self.on_aws.server, &self.on_aws.from);
        let lines = mails.iter().filter(|mail| mail.to == self.email).flat_map(|mail| mail.text.lines());
        lines.filter_map(is_it).next_back()
    }

    fn code(&self) -> Option<String> {
        self.mailed(|line| (line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit())).then(|| line.to_owned()))
    }

    fn link(&self) -> Option<String> {
        self.mailed(|line| Some(line.split_once("&token=")?.1.to_owned()))
    }

    async fn asks(&self, accounts: &Accounts, use_case: UseCase) -> Result<(), GalleryError> {
        let (services, client) = (&accounts.gallery.accounts, Client::default());
        let email = &self.email;
        match use_case {
            UseCase::SignUp => {
                let name = PersonName::parse("Ada").unwrap();
                services.sign_up(&SignUp { email: email.clone(), password: password(OLD), name }, &client).await
            }
            UseCase::ConfirmEmail => services.confirm_email(email, &self.code().unwrap_or_default(), &client).await,
            UseCase::LogIn => services.log_in(email, &password(OLD), &client).await.map(drop),
            UseCase::ChangePassword => {
                services.change_password(self.actor.as_ref().unwrap(), &password(OLD), &password(NEW)).await
            }
            UseCase::ForgotPassword => {
                services.forgot_password(email, &client).await?;
                accounts.identity.settle().await;
                Ok(())
            }
            UseCase::ResetPassword => {
                services.reset_password(email, &self.link().unwrap_or_default(), &password(NEW), &client).await
            }
            UseCase::Cancel => services.cancel(self.actor.as_ref().unwrap(), &password(OLD)).await,
        }
    }
}

fn password(text: &str) -> Password {
    Password::parse(text).unwrap()
}

/// What does not hold after a fault; and how many requests the first attempt made.
async fn survives(pool: &CreatedPool, use_case: UseCase, fault: Option<(usize, Fault)>) -> (Result<(), String>, usize) {
    let on_aws = OnAws::new(pool).await;
    let clock = Arc::new(ManualClock::new("2024-06-01T12:00:00Z".parse().unwrap()));
    let repositories = MemoryStore::new().repositories();
    let steady = on_aws.gallery(&repositories, &clock, false).await;
    let shaky = on_aws.gallery(&repositories, &clock, true).await;
    let email = format!("{}@example.org", unique("ada")).parse().unwrap();
    let mut ada = Ada { on_aws: &on_aws, email, actor: None };
    let before: &[UseCase] = match use_case {
        UseCase::SignUp => &[],
        UseCase::ConfirmEmail => &[UseCase::SignUp],
        UseCase::ResetPassword => &[UseCase::SignUp, UseCase::ConfirmEmail, UseCase::ForgotPassword],
        _ => &[UseCase::SignUp, UseCase::ConfirmEmail],
    };
    for step in before {
        ada.asks(&steady, *step).await.unwrap();
    }
    if matches!(use_case, UseCase::ChangePassword | UseCase::Cancel) {
        let (_, log_in) = steady.gallery.accounts.log_in(&ada.email, &password(OLD), &Client::default()).await.unwrap();
        ada.actor = Some(steady.gallery.accounts.authenticate(&log_in.token).await.unwrap());
    }

    match fault {
        Some((number, fault)) => on_aws.plan.once(fault, number),
        None => on_aws.plan.never(),
    }
    let first = unless_silent(&on_aws.plan, Box::pin(ada.asks(&shaky, use_case))).await;
    let requests = on_aws.plan.requests();
    assert_eq!(on_aws.plan.faults(), usize::from(fault.is_some()), "{use_case:?}, {fault:?}");
    on_aws.plan.never();
    // A mail that is lost behind the answer is asked for again by whoever waits for it.
    let is_done = matches!(first, Some(Ok(()))) && use_case != UseCase::ForgotPassword;
    let mut said = None;
    if !is_done {
        clock.advance(Duration::from_secs(120));
        said = ada.asks(&shaky, use_case).await.err();
    }
    let held = holds(&ada, &steady, use_case).await;
    let held = held.map_err(|reason| format!("{reason}; first {first:?}, then {said:?}"));
    (held, requests)
}

/// Whether what was asked for is so, however often it was asked for.
async fn holds(ada: &Ada<'_>, steady: &Accounts, use_case: UseCase) -> Result<(), String> {
    let services = &steady.gallery.accounts;
    let logs_in = async |text: &str| services.log_in(&ada.email, &password(text), &Client::default()).await.is_ok();
    let expect = async |text: &str, expected: bool| match logs_in(text).await {
        found if found == expected => Ok(()),
        found => Err(format!("whether {text:?} lets her in: {found}")),
    };
    match use_case {
        UseCase::SignUp => {
            expect(OLD, false).await?;
            let confirmed = ada.asks(steady, UseCase::ConfirmEmail).await;
            confirmed.map_err(|error| format!("the mailed code does not confirm: {error:?}"))?;
            expect(OLD, true).await
        }
        UseCase::ConfirmEmail | UseCase::LogIn => expect(OLD, true).await,
        UseCase::ChangePassword | UseCase::ResetPassword => {
            expect(OLD, false).await?;
            expect(NEW, true).await
        }
        UseCase::ForgotPassword => {
            let reset = ada.asks(steady, UseCase::ResetPassword).await;
            reset.map_err(|error| format!("the mailed link does not reset: {error:?}"))?;
            expect(NEW, true).await
        }
        UseCase::Cancel => {
            let user = ada.actor.as_ref().map(Actor::user).unwrap();
            expect(OLD, false).await?;
            // The worker ends what the request began.
            steady.gallery.worker.run_due(100).await.map_err(|error| format!("{error:?}"))?;
            match ada.on_aws.pool_knows(&user.to_string()).await {
                false => Ok(()),
                true => Err("the pool still knows her".to_owned()),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_with_any_request_an_account_can_be_used() {
    let server = Server::named(MINISTACK);
    verified_domain(&server).await;
    let pool = create_pool(&server.config().await, &unique("faults")).await.unwrap();
    let mut cases = Vec::new();
    for (number, use_case) in UseCase::ALL.into_iter().enumerate() {
        let (survived, requests) = survives(&pool, use_case, None).await;
        assert_eq!(survived, Ok(()), "{use_case:?}");
        println!("{use_case:?}: {requests} requests");
        assert!(requests > 0, "{use_case:?}");
        for request in 0..requests {
            cases.extend(ways(number, request, 1).into_iter().map(|fault| (use_case, request, fault)));
        }
    }
    let all = cases.len();
    let pool = &pool;
    let broken = stream::iter(cases).map(|(use_case, request, fault)| async move {
        let (survived, _) = survives(pool, use_case, Some((request, fault))).await;
        survived.err().map(|reason| format!("{use_case:?}, request {request}, {fault:?}: {reason}"))
    });
    let broken: Vec<_> = broken.buffer_unordered(AT_ONCE).filter_map(async |broken| broken).collect().await;
    println!("{all} cases");
    assert!(all >= UseCase::ALL.len(), "only {all} cases ran");
    assert!(broken.is_empty(), "{} of {all} went wrong:\n{}", broken.len(), broken.join("\n"));
}

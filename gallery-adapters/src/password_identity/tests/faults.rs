//! Whatever call under the identity fails, in whatever way: tried again, nothing is lost, and nothing is left.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::*;

type Step<T> = for<'a> fn(&'a Scene) -> BoxFuture<'a, T>;

/// Something that somebody does, in the midst of which anything may fail.
struct Flow {
    name: &'static str,
    /// What happened before.
    before: Step<()>,
    /// On how many devices Ada is logged in then.
    devices: usize,
    act: Step<Result<(), IdentityError>>,
    /// What the repetition may end in, where the first try may have done everything but say so.
    done: fn(&IdentityError) -> bool,
    /// What has to be true right after the first try, whatever became of it.
    always: Step<Result<(), String>>,
    /// What has to be true in the end.
    finally: Step<Result<(), String>>,
}

/// Two devices that Ada is logged in on.
struct Scene {
    fixture: Fixture,
    log_ins: Vec<LogIn>,
}

impl Scene {
    async fn new(before: Step<()>, log_ins: usize) -> Self {
        let mut scene = Self { fixture: fixture(), log_ins: Vec::new() };
        before(&scene).await;
        for _ in 0..log_ins {
            scene.log_ins.push(scene.fixture.log_in(GOOD).await.unwrap());
        }
        scene
    }

    async fn is_open(&self, device: usize) -> bool {
        let token = &self.log_ins[device].token;
        self.fixture.identity.authenticate(token).await.unwrap().is_some()
    }

    /// Whether this is Ada's password.
    async fn is_password(&self, text: &str) -> bool {
        let kept = self.fixture.credential().await.map(|credential| credential.password);
        self.fixture.identity.hasher.verify(kept.as_ref(), &password(text)).await.unwrap() != Verdict::Wrong
    }
}

const NEVER: fn(&IdentityError) -> bool = |_| false;
const USED_UP: fn(&IdentityError) -> bool = |error| matches!(error, IdentityError::WrongCode);
const CHANGED: fn(&IdentityError) -> bool = |error| matches!(error, IdentityError::WrongCredentials);
const NOBODY: Step<()> = |_| async move {}.boxed();
const NOTHING_MORE: Step<Result<(), String>> = |_| async move { Ok(()) }.boxed();
const ADA: Step<()> = |scene| {
    async move { scene.fixture.identity.register_confirmed(ada(), &email(), &password(GOOD)).await.unwrap() }.boxed()
};
const ADA_FORGETS: Step<()> = |scene| {
    async move {
        ADA(scene).await;
        scene.fixture.identity.forgot_password(Some(ada()), &email()).await.unwrap();
        scene.fixture.identity.settle().await;
    }
    .boxed()
};
const SIGNED_UP: Step<()> =
    |scene| async move { scene.fixture.identity.register(ada(), &email(), &password(GOOD)).await.unwrap() }.boxed();
const LOGS_IN: Step<Result<(), String>> = |scene| {
    async move { scene.fixture.log_in(GOOD).await.map(drop).map_err(|error| format!("logging in: {error:?}")) }.boxed()
};
const CONFIRMS_AND_LOGS_IN: Step<Result<(), String>> = |scene| {
    async move {
        let confirmed = scene.fixture.confirm(&scene.fixture.mailed_code().await).await;
        confirmed.map_err(|error| format!("confirming: {error:?}"))?;
        LOGS_IN(scene).await
    }
    .boxed()
};

const FLOWS: [Flow; 10] = [
    Flow {
        name: "sign up",
        before: NOBODY,
        devices: 0,
        act: |scene| async move { scene.fixture.identity.register(ada(), &email(), &password(GOOD)).await }.boxed(),
        done: NEVER,
        always: |scene| async move { expect(scene.fixture.credential().await.is_none(), "no password yet") }.boxed(),
        finally: CONFIRMS_AND_LOGS_IN,
    },
    Flow {
        name: "be made at the console",
        before: SIGNED_UP,
        devices: 0,
        act: |scene| {
            async move { scene.fixture.identity.register_confirmed(ada(), &email(), &password(GOOD)).await }.boxed()
        },
        done: NEVER,
        always: NOTHING_MORE,
        finally: LOGS_IN,
    },
    Flow {
        name: "ask for another code",
        before: SIGNED_UP,
        devices: 0,
        act: |scene| {
            async move {
                scene.fixture.later(minutes(2));
                scene.fixture.identity.resend_code(Some(ada()), &email()).await
            }
            .boxed()
        },
        done: NEVER,
        always: NOTHING_MORE,
        finally: |scene| {
            async move {
                // Its failure is told to nobody, so that nobody repeats it.
                scene.fixture.later(minutes(2));
                scene.fixture.identity.resend_code(Some(ada()), &email()).await.unwrap();
                CONFIRMS_AND_LOGS_IN(scene).await
            }
            .boxed()
        },
    },
    Flow {
        name: "confirm",
        before: SIGNED_UP,
        devices: 0,
        act: |scene| async move { scene.fixture.confirm(&scene.fixture.mailed_code().await).await.map(drop) }.boxed(),
        done: USED_UP,
        always: NOTHING_MORE,
        finally: LOGS_IN,
    },
    Flow {
        name: "log in",
        before: ADA,
        devices: 2,
        act: |scene| scene.fixture.log_in(GOOD).map(|log_in| log_in.map(drop)).boxed(),
        done: NEVER,
        always: |scene| async move { expect(scene.is_open(0).await && scene.is_open(1).await, "devices stay") }.boxed(),
        finally: LOGS_IN,
    },
    Flow {
        name: "show the password",
        before: ADA,
        devices: 0,
        act: |scene| {
            async move { scene.fixture.identity.verify_password(ada(), &email(), &password(GOOD)).await }.boxed()
        },
        done: NEVER,
        always: NOTHING_MORE,
        finally: LOGS_IN,
    },
    Flow {
        name: "ask for a link",
        before: ADA,
        devices: 0,
        act: |scene| {
            async move {
                scene.fixture.later(minutes(2));
                scene.fixture.identity.forgot_password(Some(ada()), &email()).await
            }
            .boxed()
        },
        done: NEVER,
        always: NOTHING_MORE,
        finally: |scene| {
            async move {
                scene.fixture.later(minutes(2));
                scene.fixture.identity.forgot_password(Some(ada()), &email()).await.unwrap();
                scene.fixture.reset(&scene.fixture.mailed_token().await, OTHER).await.unwrap();
                expect(scene.is_password(OTHER).await, "the new password counts")
            }
            .boxed()
        },
    },
    Flow {
        name: "set a new password by a link",
        before: ADA_FORGETS,
        devices: 2,
        act: |scene| {
            async move { scene.fixture.reset(&scene.fixture.mailed_token().await, OTHER).await.map(drop) }.boxed()
        },
        done: USED_UP,
        always: |scene| {
            async move {
                let is_open = scene.is_open(0).await || scene.is_open(1).await;
                expect(!is_open || scene.is_password(GOOD).await, "no session outlives its password")
            }
            .boxed()
        },
        finally: |scene| {
            async move {
                expect(!scene.is_open(0).await && !scene.is_open(1).await, "every session ends")?;
                expect(scene.is_password(OTHER).await, "the new password counts")?;
                scene.fixture.log_in(OTHER).await.map(drop).map_err(|error| format!("logging in: {error:?}"))
            }
            .boxed()
        },
    },
    Flow {
        name: "change the password",
        before: ADA,
        devices: 2,
        act: |scene| scene.fixture.change(GOOD, OTHER, Some(scene.log_ins[0].session.id)).boxed(),
        done: CHANGED,
        always: |scene| {
            async move {
                expect(scene.is_open(0).await, "the session that changes it stays")?;
                expect(!scene.is_open(1).await || scene.is_password(GOOD).await, "no session outlives its password")
            }
            .boxed()
        },
        finally: |scene| {
            async move {
                expect(scene.is_open(0).await && !scene.is_open(1).await, "every other session ends")?;
                expect(scene.is_password(OTHER).await, "the new password counts")
            }
            .boxed()
        },
    },
    Flow {
        name: "remove",
        before: |scene| {
            async move {
                ADA_FORGETS(scene).await;
                SIGNED_UP(scene).await;
            }
            .boxed()
        },
        devices: 2,
        act: |scene| async move { scene.fixture.identity.remove(ada(), &email()).await }.boxed(),
        done: NEVER,
        always: NOTHING_MORE,
        finally: |scene| {
            async move {
                let Repositories { credentials, sessions, rate_limiter, .. } = &scene.fixture.repositories;
                expect(scene.fixture.credential().await.is_none(), "no password is left")?;
                for purpose in [CodePurpose::ConfirmEmail, CodePurpose::ResetPassword] {
                    expect(credentials.find_code(purpose, &email()).await.unwrap().is_none(), "no code is left")?;
                }
                expect(sessions.list(ada()).await.unwrap().is_empty(), "no session is left")?;
                let counted = rate_limiter.remove_expired(Timestamp::MAX, 100).await.unwrap();
                expect(counted == 0, "nothing that was counted is left")
            }
            .boxed()
        },
    },
];

#[tokio::test(start_paused = true)]
async fn whatever_call_fails_in_whatever_way_it_can_be_repeated_and_nothing_is_lost_or_left() {
    let (mut cases, mut broken) = (0, Vec::new());
    for flow in &FLOWS {
        let scene = Scene::new(flow.before, flow.devices).await;
        let calls = scene.fixture.calls(async {
            (flow.act)(&scene).await.expect(flow.name);
            scene.fixture.identity.settle().await;
        });
        let calls = calls.await;
        for (call, method) in calls.iter().enumerate() {
            for fault in Fault::ALL {
                cases += 1;
                if let Err(reason) = run(flow, call, fault).await {
                    broken.push(format!("{}, call {call} ({method}) {fault:?}: {reason}", flow.name));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{} of {cases} went wrong:\n{}", broken.len(), broken.join("\n"));
    assert!(cases >= 200, "only {cases} cases ran");
}

async fn run(flow: &Flow, call: usize, fault: Fault) -> Result<(), String> {
    let mut scene = Scene::new(flow.before, flow.devices).await;
    scene.fixture.plan.fail(scene.fixture.plan.calls().len() + call, fault);
    // Time passes by itself here, once there is nothing left to do but wait.
    let first = tokio::time::timeout(minutes(1), (flow.act)(&scene)).await;
    if tokio::time::timeout(minutes(1), scene.fixture.identity.settle()).await.is_err() {
        // What hung behind the answer went with its process.
        scene.fixture.identity = identity(scene.fixture.identity.ports.clone());
    }
    (flow.always)(&scene).await.map_err(|reason| format!("at once: {reason}"))?;
    if !matches!(first, Ok(Ok(()))) {
        match (flow.act)(&scene).await {
            Ok(()) => {}
            Err(error) if (flow.done)(&error) => {}
            Err(error) => return Err(format!("the repetition failed: {error:?}")),
        }
    }
    (flow.finally)(&scene).await.map_err(|reason| format!("finally: {reason}"))
}

fn email() -> EmailAddress {
    address("ada@example.org")
}

fn expect(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("it is not so that {what}")) }
}

//! The program on PostgreSQL: getting a schema, and what becomes of requests when the server goes away. Each test has a server of its own, so
//! that it may do with it what it likes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;
use test_postgres::{Cluster, Programs};
use tokio::sync::Mutex;

use crate::client::{Client, announcement};
use crate::photos;
use crate::program::{Said, Server, create_user_by, gallery, said};

/// A server, and a data folder beside it.
struct Scene {
    cluster: Cluster,
    folder: TempDir,
}

impl Scene {
    /// A server without a schema.
    fn bare() -> Self {
        let cluster = Cluster::start(&Programs::of_environment().unwrap(), &[]).unwrap();
        Self { cluster, folder: tempfile::tempdir().unwrap() }
    }

    /// A gallery with one account.
    fn new() -> Self {
        let scene = Self::bare();
        scene.run(&["migrate-schema"]).well();
        create_user_by(scene.gallery(""), "ada@example.org");
        scene
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command that uses the server, with these parameters in the URL.
    fn gallery(&self, parameters: &str) -> Command {
        let mut command = gallery(&self.data());
        command.env("GALLERY_STORE", format!("{}?{parameters}", self.cluster.url()));
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let said = said(self.gallery("").args(arguments));
        assert!(!said.out.contains(self.cluster.password()) && !said.err.contains(self.cluster.password()), "{said:?}");
        said
    }

    fn serve(&self, parameters: &str) -> Server {
        Server::spawn(self.gallery(parameters).args(["serve", "--listen", "127.0.0.1:0"]), &self.data())
    }

    /// A connection past the gallery.
    async fn connection(&self) -> PgConnection {
        self.cluster.url().parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
    }

    /// Cuts every connection of the gallery.
    async fn cut_connections(&self) {
        let mut connection = self.connection().await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        connection.execute(cut).await.unwrap();
        connection.close().await.unwrap();
    }
}

async fn logged_in(server: &Server) -> Client {
    let mut ada = Client::new(server);
    ada.log_in("ada@example.org").await;
    ada
}

/// Whether a request was answered well; if not, it has to say when to try again.
fn went_well(answer: &Response) -> bool {
    if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
        assert!(answer.status().is_success(), "{answer:?}");
        return true;
    }
    let seconds = answer.headers().get(header::RETRY_AFTER).expect("a 503 says when to try again");
    assert!(seconds.to_str().unwrap().parse::<u64>().unwrap() >= 1);
    false
}

#[test]
fn a_schema_is_made_by_its_own_command_and_nothing_starts_without_it() {
    let scene = Scene::bare();
    let refused = scene.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("run `gallery migrate-schema`"), "{}", refused.err);

    let status = |arguments: &[&str]| -> Value {
        let said = scene.run(&[&["migrate-schema", "--json"][..], arguments].concat());
        let code = said.code;
        let mut summary = serde_json::from_str::<Value>(&said.out).unwrap()["summary"].take();
        summary["code"] = json!(code);
        summary
    };
    let before = status(&["--status"]);
    let known = before["pending"].clone();
    assert!(!known.as_array().unwrap().is_empty());
    assert_eq!(before, json!({ "applied": [], "pending": known, "unknown": [], "migrated": [], "code": 1 }));
    let dry = scene.run(&["migrate-schema", "--dry-run"]).well();
    assert!(dry.starts_with("there is no schema yet: ") && dry.contains("to apply"), "{dry}");
    assert_eq!(status(&["--status"]), before, "neither of them did anything");

    assert_eq!(status(&[]), json!({ "applied": known, "pending": [], "unknown": [], "migrated": known, "code": 0 }));
    assert_eq!(
        status(&["--status"]),
        json!({ "applied": known, "pending": [], "unknown": [], "migrated": [], "code": 0 })
    );
    assert!(scene.run(&["migrate-schema"]).well().ends_with("nothing to do\n"));
    assert_eq!(scene.run(&["user", "list"]).well(), "");
}

#[test]
fn a_backup_names_what_backs_up_a_server() {
    let scene = Scene::new();
    let to = scene.folder.path().join("backup");
    let refused = scene.run(&["backup", to.to_str().unwrap()]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("pg_dump") && refused.err.contains("signing.key"), "{}", refused.err);
    assert!(!to.exists());
    let restored = scene.run(&["restore", to.to_str().unwrap()]);
    assert!(restored.code == Some(1) && restored.err.contains("GALLERY_STORE"), "{}", restored.err);
}

#[test]
fn a_server_that_is_not_there_is_named_without_its_password() {
    let mut scene = Scene::bare();
    scene.cluster.stop().unwrap();
    let refused = scene.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, Some(1));
    let named = refused.err.contains(&format!("postgres://127.0.0.1:{}/postgres", scene.cluster.port()));
    assert!(named && refused.err.contains("check that it runs"), "{}", refused.err);
}

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    albums: Vec<(String, String)>,
    photos: Vec<String>,
}

/// Somebody who does not rest.
struct Load {
    ada: Client,
    stop: AtomicBool,
    put_off: AtomicUsize,
    acknowledged: Mutex<Acknowledged>,
}

impl Load {
    /// Makes albums, renames them, and uploads photos, until it is told to stop.
    async fn work(self: Arc<Self>, worker: u32) {
        for n in 0.. {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let title = format!("Album {n} of {worker}");
            if let Some(album) = self.send(Method::POST, "/albums", json!({ "title": title })).await {
                let id = album["id"].as_str().unwrap().to_owned();
                self.acknowledged.lock().await.albums.push((id.clone(), title.clone()));
                let title = format!("{title}, renamed");
                if self.send(Method::PATCH, &format!("/albums/{id}"), json!({ "title": title })).await.is_some() {
                    self.acknowledged.lock().await.albums.push((id, title));
                }
            }
            let bytes = photos::jpeg(worker * 10_000 + n, 64);
            let Some(announced) = self.send(Method::POST, "/photos", announcement("photo.jpg", &bytes)).await else {
                continue;
            };
            let answer = self.ada.expected(&announced["upload"]).body(bytes).send().await.unwrap();
            if went_well(&answer) {
                let id = announced["photo"]["id"].as_str().unwrap().to_owned();
                self.acknowledged.lock().await.photos.push(id);
            }
        }
    }

    /// What a request is answered, unless it is put off.
    async fn send(&self, method: Method, path: &str, body: Value) -> Option<Value> {
        let answer = self.ada.send(method, path, Some(body)).await.expect("the gallery answers");
        if went_well(&answer) {
            return Some(answer.json().await.expect("JSON"));
        }
        self.put_off.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
        None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_restarts_under_load_loses_nothing_that_was_acknowledged() {
    let mut scene = Scene::new();
    let server = scene.serve("");
    let ada = logged_in(&server).await;
    let (stop, put_off) = (AtomicBool::new(false), AtomicUsize::new(0));
    let load = Arc::new(Load { ada: ada.clone(), stop, put_off, acknowledged: Mutex::default() });
    let workers: Vec<_> = (0..4).map(|worker| tokio::spawn(Arc::clone(&load).work(worker))).collect();
    let a_while = || tokio::time::sleep(Duration::from_millis(500));
    for _ in 0..3 {
        a_while().await;
        scene.cluster.crash().unwrap();
        scene.cluster.start_again(&[]).unwrap();
        a_while().await;
        scene.cluster.stop().unwrap();
        scene.cluster.start_again(&[]).unwrap();
    }
    // Longer than a request is held up.
    scene.cluster.stop().unwrap();
    let before = load.put_off.load(Ordering::SeqCst);
    while load.put_off.load(Ordering::SeqCst) == before {
        a_while().await;
    }
    scene.cluster.start_again(&[]).unwrap();
    a_while().await;
    load.stop.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await.unwrap();
    }
    assert!(server.stop().success());

    // An upload that nobody could look into is taken up at the next start.
    let server = scene.serve("");
    let ada = ada.at(&server);
    let acknowledged = load.acknowledged.lock().await;
    assert!(acknowledged.photos.len() > 10 && acknowledged.albums.len() > 10, "there was a load");
    // The last title that was acknowledged, unless a later one was made and its answer lost.
    let last: std::collections::BTreeMap<_, _> = acknowledged.albums.iter().cloned().collect();
    for (id, title) in last {
        let found = ada.get(&format!("/albums/{id}")).await["title"].as_str().unwrap().to_owned();
        assert!(found == title || found == format!("{title}, renamed"), "{id} is called {found:?} and not {title:?}");
    }
    for id in &acknowledged.photos {
        ada.ready(id).await;
    }
    assert!(server.stop().success());
    let verified = scene.run(&["verify", "--hash"]).well();
    println!(
        "{verified}{} photos and {} albums were acknowledged, {} requests put off",
        acknowledged.photos.len(),
        acknowledged.albums.len(),
        load.put_off.load(Ordering::SeqCst)
    );
}

fn signal(server: &Server, name: &str) {
    assert!(Command::new("kill").args([name, &server.pid().to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_was_frozen_finds_its_connections_dead_and_takes_new_ones() {
    let scene = Scene::new();
    let server = scene.serve("max_connections=1");
    let ada = logged_in(&server).await;
    for _ in 0..3 {
        signal(&server, "-STOP");
        scene.cut_connections().await;
        signal(&server, "-CONT");
        ada.get("/photos").await;
        let (status, answer) = ada.call(Method::POST, "/albums", Some(json!({ "title": "After the thaw" }))).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    }
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_changes_puts_them_off_and_is_read_all_the_same() {
    let scene = Scene::new();
    let server = scene.serve("");
    let ada = logged_in(&server).await;
    let switch = async |statement: &'static str| {
        let mut connection = scene.connection().await;
        connection.execute("SET default_transaction_read_only = off").await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
        scene.cut_connections().await;
    };
    let make_album = async || {
        let answer = ada.send(Method::POST, "/albums", Some(json!({ "title": "Winter" }))).await.unwrap();
        went_well(&answer)
    };
    switch("ALTER DATABASE postgres SET default_transaction_read_only = on").await;
    assert_eq!(ada.get("/albums").await["items"], json!([]));
    assert!(!make_album().await);
    switch("ALTER DATABASE postgres RESET default_transaction_read_only").await;
    assert!(make_album().await);
    assert_eq!(ada.get("/albums").await["items"].as_array().unwrap().len(), 1);
    assert!(server.stop().success());
    scene.run(&["verify"]).well();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_too_long_for_a_connection_are_put_off() {
    let scene = Scene::new();
    let server = scene.serve("max_connections=1");
    let ada = logged_in(&server).await;
    let mut other = scene.connection().await;
    let mut held = other.begin().await.unwrap();
    sqlx::query("LOCK TABLE gallery.album IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    let list = async || went_well(&ada.send(Method::GET, "/albums", None).await.unwrap());
    let others = async {
        // By then the first has the only connection.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(tokio::join!(list(), list()), (false, false));
        held.rollback().await.unwrap();
    };
    let (first, ()) = tokio::join!(list(), others);
    assert!(first, "who had the connection is served in the end");
    other.close().await.unwrap();
    assert!(list().await);
    assert!(server.stop().success());
}

#[test]
fn the_data_folder_holds_all_but_the_store() {
    let scene = Scene::new();
    let source = scene.folder.path().join("photo.jpg");
    std::fs::write(&source, photos::jpeg(1, 200)).unwrap();
    scene.run(&["import", source.to_str().unwrap()]).well();
    let has = |name: &str| scene.data().join(name).exists();
    assert!(has("blobs") && has("signing.key") && !has("gallery.db"));
    assert!(scene.run(&["verify", "--hash"]).well().contains("1 photo, "));
    let elsewhere: &Path = &scene.folder.path().join("elsewhere");
    let listed = said(scene.gallery("").args(["user", "list"]).env("GALLERY_DATA", elsewhere)).well();
    assert!(listed.contains("ada@example.org"), "the accounts are on the server: {listed}");
}

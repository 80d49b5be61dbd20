//! A person's way through the gallery, with a restart in the middle.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::Client;
use crate::photos;
use crate::program::{PASSWORD, Server, files, gallery, run, said};

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().expect("a page").iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_up_looks_after_their_photos_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.join("ada@example.org", &data).await;

    // Photos come in, and their images can be seen.
    let files_to_send = photos::some(6);
    let mut uploaded = Vec::new();
    for (name, bytes) in &files_to_send {
        uploaded.push(ada.upload(name, bytes).await);
    }
    for (id, (_, bytes)) in uploaded.iter().zip(&files_to_send) {
        let photo = ada.ready(id).await;
        let thumbnail = image::load_from_memory(&ada.fetch(&photo["urls"]["thumbnail"]).await).unwrap();
        assert!(thumbnail.width().max(thumbnail.height()) <= 320);
        image::load_from_memory(&ada.fetch(&photo["urls"]["preview"]).await).unwrap();
        assert_eq!(&ada.fetch(&photo["urls"]["original"]).await, bytes, "the original is kept byte for byte");
    }
    let (status, again) = ada
        .call(
            Method::POST,
            "/photos",
            Some(json!({
                "fileName": "again.jpg",
                "contentType": "image/jpeg",
                "size": files_to_send[0].1.len(),
                "sha256": gallery_domain::Sha256Digest::of(&files_to_send[0].1).to_string(),
            })),
        )
        .await;
    assert_eq!((status, again["duplicateOf"].as_str()), (StatusCode::OK, Some(&*uploaded[0])));

    // Said things are found.
    let change = json!({ "title": "Zürich im Winter", "tags": ["snow", "new york"], "favourite": true });
    let (status, answer) = ada.call(Method::PATCH, &format!("/photos/{}", uploaded[1]), Some(change)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    for query in ["zurich", "tag:snow", "tag:%22new%20york%22%20-rain", "is:favourite"] {
        assert_eq!(ids(&ada.get(&format!("/search?q={query}")).await), [&*uploaded[1]], "{query}");
    }

    // An album.
    let (status, album) = ada.call(Method::POST, "/albums", Some(json!({ "title": "Winter" }))).await;
    assert_eq!(status, StatusCode::CREATED, "{album}");
    let album = format!("/albums/{}", album["id"].as_str().unwrap());
    let (status, answer) =
        ada.call(Method::PUT, &format!("{album}/photos"), Some(json!({ "photoIds": uploaded[..3] }))).await;
    assert!(status.is_success(), "{answer}");

    // The server is stopped and started: everything is there, and the session still holds.
    assert!(server.stop().success(), "SIGTERM is a good end");
    let server = Server::start(&data);
    let ada = ada.at(&server);
    let in_album = ada.get(&format!("/photos?albumId={}", album.strip_prefix("/albums/").unwrap())).await;
    assert_eq!(ids(&in_album), uploaded[..3].iter().map(String::as_str).collect::<Vec<_>>());

    // Into the trash and back, and for good.
    let one = format!("/photos/{}", uploaded[4]);
    assert_eq!(ada.call(Method::DELETE, &one, None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(ids(&ada.get("/photos?trashed=true").await), [&*uploaded[4]]);
    assert!(!ids(&ada.get("/photos").await).contains(&&*uploaded[4]));
    let bulk = async |action: &str| {
        let (status, answer) =
            ada.call(Method::POST, "/photos/bulk", Some(json!({ "ids": [uploaded[4]], "action": action }))).await;
        assert_eq!((status, answer["results"][0]["status"].as_u64()), (StatusCode::OK, Some(204)), "{answer}");
    };
    bulk("restore").await;
    assert!(ids(&ada.get("/photos").await).contains(&&*uploaded[4]));
    bulk("trash").await;
    bulk("purge").await;
    assert_eq!(ada.call(Method::GET, &one, None).await.0, StatusCode::NOT_FOUND);

    // The album goes with its photos, and comes back with them.
    let (_, counted) = ada.call(Method::DELETE, &format!("{album}?dryRun=true"), None).await;
    assert_eq!(counted["photos"], 3, "{counted}");
    assert!(ada.call(Method::DELETE, &album, None).await.0.is_success());
    assert_eq!(ids(&ada.get("/photos?trashed=true").await).len(), 3);
    assert!(ada.call(Method::POST, &format!("{album}/restore"), None).await.0.is_success());
    assert_eq!(ids(&ada.get("/photos").await).len(), 5);

    let verified = run(&data, &["verify", "--hash"]).well();
    assert!(verified.contains("5 photos") && verified.contains("no fault found"), "{verified}");

    // The account is cancelled: logged out at once, and soon nothing is left.
    let (status, answer) = ada.call(Method::DELETE, "/account", Some(json!({ "password": PASSWORD }))).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(ada.call(Method::GET, "/photos", None).await.0, StatusCode::UNAUTHORIZED);
    let mut left = String::new();
    for _ in 0..600 {
        left = run(&data, &["user", "list"]).well();
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(left, "", "the account is gone");
    assert!(server.stop().success());
    assert_eq!(files(&data.join("blobs")), [] as [std::path::PathBuf; 0]);
    assert_eq!(run(&data, &["verify"]).well(), "0 users, 0 photos, 0 albums, 0 blobs: no fault found\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_there_and_so_is_whatever_it_asks_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let mut asked = BTreeSet::new();
    let page = reqwest::Url::parse(&format!("{}/", server.url)).unwrap();
    let mut waiting = vec![page.clone()];
    while let Some(url) = waiting.pop() {
        if !asked.insert(url.clone()) {
            continue;
        }
        let answer = reqwest::get(url.clone()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{url}");
        let media_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let expected = match url.path().rsplit_once('.') {
            Some((_, "js")) => "text/javascript",
            Some((_, "css")) => "text/css",
            Some((_, "json")) => "application/json",
            Some((_, "svg")) => "image/svg+xml",
            Some((_, "webmanifest")) => "application/manifest+json",
            _ => "text/html",
        };
        assert!(media_type.starts_with(expected), "{url}: {media_type}");
        // Pages, styles and modules name others relative to themselves; what a module fetches is relative to the page.
        let text = answer.text().await.unwrap();
        let mut before = "";
        let mut parts = text.split(['"', '\'', '`']).peekable();
        while let Some(part) = parts.next() {
            let is_import = ["from ", "import ", "import("].iter().any(|word| before.ends_with(word))
                || parts.peek().is_some_and(|after| after.starts_with(", import.meta.url"));
            let of_itself = is_import || !url.path().ends_with(".js");
            if part.starts_with("./") || part.starts_with("../") {
                for language in ["en", "de"] {
                    let part = part.replace("${language}", language);
                    waiting.push(if of_itself { url.join(&part) } else { page.join(&part) }.unwrap());
                }
            }
            before = part;
        }
    }
    let count = |end: &str| asked.iter().filter(|url| url.path().ends_with(end)).count();
    assert!(count(".js") > 10 && count(".css") > 2 && count(".svg") > 0, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_gallery_says_what_to_do_next_and_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    assert_eq!(server.next_line(), "It is empty. To begin:");
    assert_eq!(server.next_line(), "  1. Open that address in a browser and sign up.");
    let code = server.next_line();
    let outbox = code.strip_prefix("  2. The code to confirm your address is in the newest file of ").unwrap();
    assert_eq!(Path::new(outbox), data.join("outbox"));
    let import = server.next_line();
    let import = import.strip_prefix("  3. Add photos on the page, or a whole folder: gallery import FOLDER ").unwrap();

    let mut ada = Client::new(&server);
    ada.join("ada@example.org", &data).await;
    std::fs::write(folder.path().join("photo.jpg"), photos::jpeg(1, 300)).unwrap();
    let words: Vec<_> = ["import", folder.path().to_str().unwrap()].into_iter().chain(import.split(' ')).collect();
    let elsewhere = tempfile::tempdir().unwrap();
    // What the line says is enough to find the data folder.
    let mut import = gallery(&data);
    import.env("GALLERY_DATA", elsewhere.path()).args(&words);
    assert!(said(&mut import).well().starts_with("1 new"));
    assert_eq!(ids(&ada.get("/photos").await).len(), 1);
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::spawn(gallery(&data).args(["serve", "--listen", "127.0.0.1:0", "--log", "debug"]), &data);
    let mut ada = Client::new(&server);
    ada.join("canary@example.org", &data).await;
    let account = ada.get("/account").await;
    let id = ada.upload("canary photo.jpg", &photos::jpeg(1, 300)).await;
    let photo = ada.ready(&id).await;
    ada.get("/search?q=canary").await;
    let log = server.log();
    assert!(server.stop().success());
    assert!(log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{log}");
    let signature = photo["urls"]["original"].as_str().unwrap().split_once('?').unwrap().1;
    let secrets = ["canary", PASSWORD, ada.token.as_deref().unwrap(), signature, account["id"].as_str().unwrap()];
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "the log holds {secret}");
    }
}

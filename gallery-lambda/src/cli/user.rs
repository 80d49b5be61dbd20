//! `gallery user`.

use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use gallery_domain::services::SignUp;
use gallery_domain::{EmailAddress, PageRequest, PageSize, Password, PersonName, User, UserStatus};
use serde_json::json;

use super::console::{self, explain, say};
use super::interruption::Interruption;
use super::opened::{Opened, configure};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an account that needs no confirmation by mail
    Create {
        /// The address to log in with
        email: EmailAddress,
        /// What to call its owner
        #[arg(long, value_parser = PersonName::parse)]
        name: PersonName,
        /// Read the password from stdin instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all accounts
    List {
        /// One JSON object for each account
        #[arg(long)]
        json: bool,
    },
    /// Erase an account with all its photos for good
    Erase {
        /// The address of the account
        email: EmailAddress,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(super) async fn run(command: Command, data: &Path) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { email, name, password_stdin } => create(email, name, password_stdin, data).await,
        Command::List { json } => list(json, data).await,
        Command::Erase { email, yes } => erase(&email, yes, data).await,
    }
}

async fn create(email: EmailAddress, name: PersonName, password_stdin: bool, data: &Path) -> anyhow::Result<ExitCode> {
    let password = tokio::task::spawn_blocking(move || read_password(password_stdin)).await??;
    let opened = Opened::open(configure(data)?).await?;
    let user = opened.gallery.accounts.create_confirmed(&SignUp { email, password, name }).await.map_err(explain)?;
    say(format_args!("{} can log in now.", user.email.as_str()))?;
    opened.close().await;
    Ok(ExitCode::SUCCESS)
}

fn read_password(from_stdin: bool) -> anyhow::Result<Password> {
    let text = if from_stdin {
        let mut text = String::new();
        io::stdin().take(1 << 20).read_to_string(&mut text).context("cannot read the password from stdin")?;
        text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned()).unwrap_or(text)
    } else if io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password, at least 15 characters: ")?;
        let second = rpassword::prompt_password("Once more: ")?;
        if first != second {
            bail!("the two passwords differ: try again");
        }
        first
    } else {
        bail!("there is no terminal to ask for the password: pass it on stdin with --password-stdin");
    };
    Password::parse(&text).map_err(|invalid| anyhow!("password {invalid}"))
}

async fn list(as_json: bool, data: &Path) -> anyhow::Result<ExitCode> {
    let opened = Opened::existing(data).await?;
    let mut page = PageRequest::first(PageSize::MAX);
    loop {
        let users = opened.gallery.accounts.list(page).await.map_err(explain)?;
        for user in &users.items {
            let usage = opened.ports().repositories.users.usage(user.id).await?;
            let (email, name, status) = (user.email.as_str(), user.name.as_str(), status(user));
            if as_json {
                say(json!({
                    "id": user.id.to_string(),
                    "email": email,
                    "name": name,
                    "status": status,
                    "createdAt": user.created_at.to_string(),
                    "photos": usage.photos,
                    "bytes": usage.bytes,
                }))?;
            } else {
                let photos = console::count(usage.photos, "photo");
                say(format_args!("{email}  {name}  {status}  {photos}  {} MiB", usage.bytes >> 20))?;
            }
        }
        match users.next {
            Some(next) => page = PageRequest::after(PageSize::MAX, next),
            None => break,
        }
    }
    opened.close().await;
    Ok(ExitCode::SUCCESS)
}

fn status(user: &User) -> &'static str {
    match user.status {
        UserStatus::Unconfirmed => "unconfirmed",
        UserStatus::Active => "active",
        UserStatus::Closing => "closing",
    }
}

async fn erase(email: &EmailAddress, yes: bool, data: &Path) -> anyhow::Result<ExitCode> {
    let opened = Opened::existing(data).await?;
    let users = &opened.ports().repositories.users;
    let Some(user) = users.find_by_email(email).await? else {
        bail!("there is no account {}: see `gallery user list`", email.as_str());
    };
    if !yes {
        let usage = users.usage(user.id).await?;
        let photos = console::count(usage.photos, "photo");
        let question = format!("Erase the account {} with {photos} for good?", email.as_str());
        match tokio::task::spawn_blocking(move || console::confirm(&question)).await?? {
            Some(true) => {}
            Some(false) => {
                say("Nothing was erased.")?;
                return Ok(ExitCode::FAILURE);
            }
            None => bail!("there is no terminal to ask whether you are sure: say so with --yes"),
        }
    }
    let mut interruption = Interruption::listen()?;
    opened.gallery.accounts.close(user.id).await.map_err(explain)?;
    let mut said = false;
    while users.find(user.id).await?.is_some() {
        if interruption.is_wanted() {
            say("The account is closed; what is left of it is erased when the gallery serves.")?;
            return Ok(ExitCode::from(console::INTERRUPTED));
        }
        if opened.gallery.worker.run_due(1).await.map_err(explain)?.claimed > 0 {
            continue;
        }
        if !said {
            said = true;
            eprintln!(
                "Uploads were under way, which may still come in for some minutes: waiting to erase these, too. \
                 Ctrl-C leaves that to the gallery's server."
            );
        }
        let pause = opened.gallery.worker.idle_time(Duration::from_secs(5)).await.map_err(explain)?;
        tokio::select! {
            () = tokio::time::sleep(pause.max(Duration::from_millis(100))) => {}
            () = interruption.wanted() => {}
        }
    }
    say(format_args!("The account {} is erased, and nothing of it is left.", email.as_str()))?;
    opened.close().await;
    Ok(ExitCode::SUCCESS)
}

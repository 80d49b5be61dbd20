//! What a function is told by its environment.

use gallery_adapters::config::{ConfigError, GalleryConfig, StoreChoice};

use crate::HttpSettings;
use crate::origins::origins;

/// Which function this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// Answers HTTP requests.
    Api,
    /// Looks into uploads, and does the work that outlasts requests.
    Worker,
    /// Brings the schema of a server up to date.
    Migrate,
}

impl FunctionKind {
    /// As it is called in `Handler`, in logs and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Worker => "worker",
            Self::Migrate => "migrate",
        }
    }

    /// Reads the function's `Handler`.
    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let handler = lookup(HANDLER).unwrap_or_default();
        let known = [Self::Api, Self::Worker, Self::Migrate].into_iter().find(|kind| kind.as_str() == handler.trim());
        known.ok_or_else(|| {
            unusable(HANDLER, "is none of `api`, `worker` and `migrate`: set the function's Handler to one of them")
        })
    }
}

/// What a function is told by its environment.
#[derive(Clone, Debug)]
pub enum LambdaSettings {
    /// What [`FunctionKind::Api`] needs.
    Api {
        /// The adapters.
        config: GalleryConfig,
        /// How to behave on HTTP.
        http: HttpSettings,
    },
    /// What [`FunctionKind::Worker`] needs.
    Worker {
        /// The adapters.
        config: GalleryConfig,
    },
    /// What [`FunctionKind::Migrate`] needs.
    Migrate {
        /// The store whose schema it is.
        store: StoreChoice,
    },
}

/// A variable with which no function can run. Says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// It cannot be used anywhere.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The part it names would be on the machine that a function happens to run on.
    #[error(
        "{variable} is {part}, which is gone with the machine that a function runs on, and another function sees nothing of it: \
         name a place on the network, such as {instead}"
    )]
    Local {
        /// The variable.
        variable: &'static str,
        /// What it says.
        part: String,
        /// An example of what it may say.
        instead: &'static str,
    },
    /// It cannot be used on AWS Lambda.
    #[error("{variable} {problem}")]
    Unusable {
        /// The variable.
        variable: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl LambdaSettings {
    /// Reads the environment of this process.
    ///
    /// # Errors
    ///
    /// As [`from_lookup`](Self::from_lookup).
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads the settings from wherever `lookup` finds variables.
    ///
    /// # Errors
    ///
    /// A variable is missing, cannot be read, or names something on the machine itself.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let kind = FunctionKind::from_lookup(&lookup)?;
        if kind == FunctionKind::Migrate {
            return Ok(Self::Migrate { store: StoreChoice::from_lookup(&lookup)? });
        }
        let config = GalleryConfig::from_lookup(&lookup)?;
        if let Some((variable, part)) = config.local_parts().into_iter().next() {
            return Err(SettingsError::Local { variable, part, instead: remote_example(variable) });
        }
        let Some(public) = &config.public_url else {
            let problem = "is not set: it is the address of the gallery's page, to which links in mails lead";
            return Err(unusable(PUBLIC_URL, problem));
        };
        if kind == FunctionKind::Worker {
            return Ok(Self::Worker { config });
        }
        let allowed = lookup(ALLOWED_ORIGINS).unwrap_or_default();
        let http = HttpSettings {
            allowed_origins: origins(&allowed).map_err(|reason| unusable(ALLOWED_ORIGINS, reason))?,
            public_url: Some(public.origin().ascii_serialization()),
            secure_cookies: public.scheme() == "https",
            // Who asks is told by API Gateway itself.
            trust_forwarded_for: false,
            // The bucket's events tell the worker.
            look_into_uploads: false,
            ..HttpSettings::default()
        };
        Ok(Self::Api { config, http })
    }
}

fn unusable(variable: &'static str, problem: impl Into<String>) -> SettingsError {
    SettingsError::Unusable { variable, problem: problem.into() }
}

/// Where AWS Lambda puts a function's `Handler`.
const HANDLER: &str = "_HANDLER";
const PUBLIC_URL: &str = "GALLERY_PUBLIC_URL";
const ALLOWED_ORIGINS: &str = "GALLERY_ALLOWED_ORIGINS";

fn remote_example(variable: &str) -> &'static str {
    match variable {
        "GALLERY_STORE" => "dynamodb://PhotoGallery or postgres://db.example.org/gallery",
        "GALLERY_BLOBS" => "s3://my-photos",
        _ => "ses:?from=gallery@example.org",
    }
}

#[cfg(test)]
#[cfg(all(feature = "dynamodb", feature = "s3", feature = "ses"))]
mod tests {
    use super::*;

    const WELL: [(&str, &str); 5] = [
        ("_HANDLER", "api"),
        ("GALLERY_STORE", "dynamodb://PhotoGallery?region=eu-central-1"),
        ("GALLERY_BLOBS", "s3://my-photos?region=eu-central-1"),
        ("GALLERY_MAIL", "ses:?from=gallery@example.org&region=eu-central-1"),
        ("GALLERY_PUBLIC_URL", "https://photos.example.org/app/"),
    ];

    fn settings(changed: &[(&str, &str)]) -> Result<LambdaSettings, String> {
        let value = |name: &str| {
            let all = changed.iter().chain(&WELL);
            all.filter(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()).next()
        };
        LambdaSettings::from_lookup(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_function_is_set_up_by_its_handler_and_its_variables() {
        let origins = ("GALLERY_ALLOWED_ORIGINS", "https://photos.example.org, http://localhost:3000");
        let Ok(LambdaSettings::Api { http, .. }) = settings(&[origins]) else { panic!() };
        assert_eq!(http.public_url.as_deref(), Some("https://photos.example.org"));
        assert_eq!(http.allowed_origins, ["https://photos.example.org", "http://localhost:3000"]);
        assert!(http.secure_cookies && !http.trust_forwarded_for && !http.look_into_uploads);
        assert!(matches!(settings(&[("_HANDLER", "worker")]), Ok(LambdaSettings::Worker { .. })));
        // It has to do with the store alone.
        let migrate = [("_HANDLER", "migrate"), ("GALLERY_PUBLIC_URL", ""), ("GALLERY_BLOBS", "none")];
        assert!(matches!(settings(&migrate), Ok(LambdaSettings::Migrate { .. })));
    }

    #[test]
    fn what_no_function_can_run_with_names_its_variable() {
        for (variable, value, part) in [
            ("_HANDLER", "bootstrap", "none of `api`, `worker` and `migrate`"),
            ("_HANDLER", "", "none of `api`, `worker` and `migrate`"),
            ("GALLERY_PUBLIC_URL", "", "is not set"),
            ("GALLERY_ALLOWED_ORIGINS", "*", "each has to be named"),
            ("GALLERY_STORE", "dynamodb://", "GALLERY_STORE"),
        ] {
            let said = settings(&[(variable, value)]).unwrap_err();
            assert!(said.starts_with(variable) && said.contains(part), "{said}");
        }
    }

    /// In a build that has them; an artifact has none, and says which it has.
    #[cfg(feature = "cli")]
    #[test]
    fn what_is_kept_on_the_machine_itself_is_refused() {
        for (variable, value) in [
            ("GALLERY_STORE", "sqlite:/tmp/gallery.db"),
            ("GALLERY_STORE", ""),
            ("GALLERY_STORE", "memory:"),
            ("GALLERY_BLOBS", "file:/tmp/blobs"),
            ("GALLERY_BLOBS", "memory:"),
            ("GALLERY_MAIL", "outbox:/tmp/outbox"),
            ("GALLERY_MAIL", ""),
        ] {
            let said = settings(&[(variable, value)]).unwrap_err();
            assert!(said.starts_with(&format!("{variable} is ")), "{said}");
            assert!(said.contains("gone with the machine") && said.contains("name a place on the network"), "{said}");
        }
    }
}

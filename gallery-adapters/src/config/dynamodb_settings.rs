//! `GALLERY_STORE=dynamodb://…`, parsed.

use std::fmt;
use std::str::FromStr;

use gallery_domain::InvalidValue;
use url::Url;

use crate::aws::AwsPlace;
use crate::dynamodb::TableNames;

/// Which tables of DynamoDB, and where: `dynamodb://PhotoGallery?region=eu-central-1`.
///
/// Credentials come from where AWS keeps them, and never from the URL. The parameters:
///
/// | name | means |
/// |---|---|
/// | `region` | the region of the tables; else whatever AWS is set up with says it, such as `AWS_REGION` |
/// | `index` | the table for everything but photos; `PhotoGalleryIndex` beside `PhotoGallery` |
/// | `endpoint` | the URL of a server that speaks DynamoDB's protocol, for tests |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamoDbSettings {
    place: AwsPlace,
    tables: TableNames,
}

impl DynamoDbSettings {
    /// Where the tables are.
    pub fn place(&self) -> &AwsPlace {
        &self.place
    }

    /// What they are called.
    pub fn tables(&self) -> &TableNames {
        &self.tables
    }
}

impl FromStr for DynamoDbSettings {
    type Err = InvalidValue;

    /// No error repeats a value, as none of another variable does.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "dynamodb" && url.has_host());
        let url =
            url.ok_or_else(|| InvalidValue::new("is not a URL such as dynamodb://PhotoGallery?region=eu-central-1"))?;
        let is_bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        if !is_bare || !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(InvalidValue::new(
                "has more than the name of a table and parameters: credentials come from where AWS keeps them, such as AWS_PROFILE",
            ));
        }
        let mut tables = TableNames::beside(table_name(url.host_str().unwrap_or_default(), "names a table")?);
        let place = AwsPlace::from_query(&url, |name, value| match name {
            "index" => {
                tables.index = table_name(&value, "has an `index`")?;
                Ok(())
            }
            _ => Err(InvalidValue::new(format!(
                "has the unknown parameter `{name}`: there are `region`, `index` and `endpoint`"
            ))),
        })?;
        if tables.photos == tables.index {
            return Err(InvalidValue::new("names one table twice: photos and everything else are kept in two"));
        }
        Ok(Self { place, tables })
    }
}

/// As it can be written into the environment.
impl fmt::Display for DynamoDbSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TableNames { photos, index } = &self.tables;
        write!(f, "dynamodb://{photos}?index={index}")?;
        self.place.to_query().iter().try_for_each(|(name, value)| write!(f, "&{name}={value}"))
    }
}

/// The name of a table, as AWS has it.
fn table_name(text: &str, what: &str) -> Result<String, InvalidValue> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if !is_name || !(3..=255).contains(&text.len()) {
        return Err(InvalidValue::new(format!(
            "{what} that cannot be one: 3 to 255 letters, digits, `_`, `-` and `.`, such as PhotoGallery"
        )));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_which_tables_and_where() {
        let settings: DynamoDbSettings = "dynamodb://PhotoGallery".parse().unwrap();
        assert_eq!((settings.tables(), settings.place()), (&TableNames::default(), &AwsPlace::default()));
        let all = "dynamodb://My.Photos_1?index=Other&region=eu-central-1&endpoint=http://127.0.0.1:8000/";
        let settings: DynamoDbSettings = all.parse().unwrap();
        assert_eq!(settings.tables(), &TableNames { photos: "My.Photos_1".to_owned(), index: "Other".to_owned() });
        assert_eq!(settings.to_string(), all);
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_a_value() {
        for (url, part) in [
            ("dynamodb:hunter2", "is not a URL"),
            ("dynamodb://", "is not a URL"),
            ("dynamodb://key:hunter2@PhotoGallery", "credentials come from"),
            ("dynamodb://PhotoGallery/hunter2", "more than the name"),
            ("dynamodb://PhotoGallery#hunter2", "more than the name"),
            ("dynamodb://ab", "names a table that cannot be one"),
            ("dynamodb://PhotoGallery?index=hunter2!", "has an `index` that cannot be one"),
            ("dynamodb://PhotoGallery?index=PhotoGallery", "one table twice"),
            ("dynamodb://PhotoGallery?region=hunter2!", "`region`"),
            ("dynamodb://PhotoGallery?tabel=hunter2", "unknown parameter `tabel`"),
            ("dynamodb://PhotoGallery?region=a&region=a", "`region` twice"),
        ] {
            let said = url.parse::<DynamoDbSettings>().unwrap_err().reason().to_owned();
            assert!(said.contains(part) && !said.contains("hunter2"), "{url}: {said}");
        }
    }
}

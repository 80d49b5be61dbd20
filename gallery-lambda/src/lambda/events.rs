//! What the worker is told: events of the bucket, directly or in messages of a queue, and what a schedule wants done.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

/// What the worker is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The bucket itself tells of objects that were made: their bucket, and their key.
    Uploads(Vec<CreatedObject>),
    /// Messages of a queue, each of which is done or failed by itself.
    Messages(Vec<Message>),
    /// A schedule tells what to run.
    Run(Run),
}

/// What a schedule can have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// Work that is due: `{"run": "work"}`.
    Work,
    /// The same, before that uploads whose event was lost, and after it forgetting what expired: `{"run": "sweep"}`.
    Sweep,
}

/// A message of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// By which the queue is told what failed.
    pub message_id: String,
    /// What was put into the queue.
    pub body: String,
}

/// An object that was made in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedObject {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
}

/// Something that nobody is known to tell the worker. Repeats nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event is neither of a bucket nor of a queue nor of a schedule: the worker takes S3 events, messages of SQS with S3 events in them, and \
     {{\"run\": \"work\"}} or {{\"run\": \"sweep\"}}"
)]
pub struct UnknownEvent;

impl Event {
    /// Reads what a function is invoked with.
    ///
    /// # Errors
    ///
    /// It is nothing that the worker knows.
    pub fn parse(event: Value) -> Result<Self, UnknownEvent> {
        if let Ok(scheduled) = Scheduled::deserialize(&event) {
            return Ok(Self::Run(scheduled.run));
        }
        if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
            return Ok(Self::Run(Run::Sweep));
        }
        match event.pointer("/Records/0/eventSource").and_then(Value::as_str) {
            Some("aws:sqs") => {
                let Messages { records } = Messages::deserialize(event).map_err(|_| UnknownEvent)?;
                Ok(Self::Messages(records))
            }
            _ => created_objects(event).map(Self::Uploads),
        }
    }
}

impl Message {
    /// The objects that the message tells of.
    ///
    /// # Errors
    ///
    /// It is no event of a bucket.
    pub fn created_objects(&self) -> Result<Vec<CreatedObject>, UnknownEvent> {
        created_objects(serde_json::from_str(&self.body).map_err(|_| UnknownEvent)?)
    }
}

/// The objects that an event of a bucket tells of. A redriven event may come in what AWS Lambda wrapped it in when it gave it up.
fn created_objects(event: Value) -> Result<Vec<CreatedObject>, UnknownEvent> {
    match BucketEvent::deserialize(event).map_err(|_| UnknownEvent)? {
        BucketEvent::Records { records } => records
            .into_iter()
            .filter(|record| record.event_name.trim_start_matches("s3:").starts_with("ObjectCreated:"))
            .map(|record| {
                let key = decoded(&record.s3.object.key).ok_or(UnknownEvent)?;
                Ok(CreatedObject { bucket: record.s3.bucket.name, key })
            })
            .collect(),
        BucketEvent::GivenUp { request_payload } => match BucketEvent::deserialize(&request_payload) {
            Ok(BucketEvent::Records { .. }) => created_objects(request_payload),
            _ => Err(UnknownEvent),
        },
        // What a bucket sends when it is told where to send its events.
        BucketEvent::Test { event } if event == "s3:TestEvent" => Ok(Vec::new()),
        BucketEvent::Test { .. } => Err(UnknownEvent),
    }
}

/// A key as it is: events have it as in a form, with `+` for a space.
fn decoded(key: &str) -> Option<String> {
    let key = key.replace('+', " ");
    percent_decode_str(&key).decode_utf8().ok().map(Cow::into_owned)
}

#[derive(Deserialize)]
struct Scheduled {
    run: Run,
}

#[derive(Deserialize)]
struct Messages {
    #[serde(rename = "Records")]
    records: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BucketEvent {
    Records {
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    GivenUp {
        #[serde(rename = "requestPayload")]
        request_payload: Value,
    },
    Test {
        #[serde(rename = "Event")]
        event: String,
    },
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventName")]
    event_name: String,
    s3: Subject,
}

#[derive(Deserialize)]
struct Subject {
    bucket: Named,
    object: Keyed,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Keyed {
    key: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(name: &str, key: &str) -> Value {
        json!({"eventSource": "aws:s3", "eventName": name, "s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 1}}})
    }

    fn object(key: &str) -> CreatedObject {
        CreatedObject { bucket: "b".to_owned(), key: key.to_owned() }
    }

    #[test]
    fn objects_that_were_made_are_read_with_their_keys_decoded() {
        let event = json!({"Records": [
            record("ObjectCreated:Put", "incoming%2Fa/b+c%2B%C3%A9"),
            record("ObjectRemoved:Delete", "incoming/a/c"),
            record("s3:ObjectCreated:CompleteMultipartUpload", "d"),
        ]});
        assert_eq!(Event::parse(event), Ok(Event::Uploads(vec![object("incoming/a/b c+é"), object("d")])));
    }

    #[test]
    fn each_message_of_a_queue_is_read_by_itself() {
        let body = json!({"Records": [record("ObjectCreated:Put", "a")]});
        let given_up = json!({"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": body});
        let bodies = [
            body.to_string(),
            given_up.to_string(),
            json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}).to_string(),
            "no JSON".to_owned(),
            json!({"requestPayload": given_up}).to_string(),
            json!({"Records": [record("ObjectCreated:Put", "%ff")]}).to_string(),
        ];
        let records: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(n, body)| json!({"eventSource": "aws:sqs", "messageId": n.to_string(), "body": body}))
            .collect();
        let Ok(Event::Messages(messages)) = Event::parse(json!({ "Records": records })) else { panic!() };
        let read: Vec<_> = messages.iter().map(Message::created_objects).collect();
        let a = || Ok(vec![object("a")]);
        assert_eq!(read, [a(), a(), Ok(vec![]), Err(UnknownEvent), Err(UnknownEvent), Err(UnknownEvent)]);
        assert_eq!(messages[5].message_id, "5");
    }

    #[test]
    fn a_schedule_says_what_to_run() {
        assert_eq!(Event::parse(json!({"run": "work"})), Ok(Event::Run(Run::Work)));
        assert_eq!(Event::parse(json!({"run": "sweep"})), Ok(Event::Run(Run::Sweep)));
        let plain = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        assert_eq!(Event::parse(plain), Ok(Event::Run(Run::Sweep)));
    }

    #[test]
    fn anything_else_is_refused() {
        for event in [json!({}), json!(null), json!({"run": "away"}), json!({"Records": [{"eventSource": "aws:sns"}]})]
        {
            assert_eq!(Event::parse(event), Err(UnknownEvent));
        }
    }
}

//! Work that outlasts a request.

use serde::{Deserialize, Serialize};

use crate::{AlbumId, PhotoId, Timestamp, UserId};

/// What has to be looked after. The thing's own state tells what is to be done; a task only says where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Task {
    /// A photo that waits for its bytes, for ingest, for the end of its time in the trash, or for its erasure.
    Photo {
        /// Whose it is.
        owner: UserId,
        /// Which.
        photo: PhotoId,
    },
    /// An album whose photos have to follow it into the trash or back, or whose time in the trash ends.
    Album {
        /// Whose it is.
        owner: UserId,
        /// Which.
        album: AlbumId,
    },
    /// A cancelled account.
    Account {
        /// Whose it was.
        owner: UserId,
    },
}

impl Task {
    /// Tells tasks apart: `photo/<owner>/<id>`, `album/<owner>/<id>` or `account/<owner>`. There is at most one item of work for each.
    pub fn key(&self) -> String {
        self.with_owner(&self.owner().to_string())
    }

    /// The key as logs say it, without the owner's id.
    pub fn for_logs(&self) -> String {
        self.with_owner(&self.owner().for_logs())
    }

    fn with_owner(&self, owner: &str) -> String {
        match self {
            Self::Photo { photo, .. } => format!("photo/{owner}/{photo}"),
            Self::Album { album, .. } => format!("album/{owner}/{album}"),
            Self::Account { .. } => format!("account/{owner}"),
        }
    }

    /// Whose thing it is about.
    pub const fn owner(&self) -> UserId {
        match self {
            Self::Photo { owner, .. } | Self::Album { owner, .. } | Self::Account { owner } => *owner,
        }
    }
}

/// That a task is to be taken up at a time. Written in the same atomic write as the change that calls for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// What.
    pub task: Task,
    /// Not before.
    pub due_at: Timestamp,
}

impl Work {
    /// Work on a task, due at a time.
    pub const fn new(task: Task, due_at: Timestamp) -> Self {
        Self { task, due_at }
    }
}

/// An item of work that somebody has taken up for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedWork {
    /// What is to be done.
    pub task: Task,
    /// How often it has been claimed since it was last scheduled; 1 the first time.
    pub attempts: u32,
    /// Tells this claim from a later claim or schedule of the same task.
    pub claim: u64,
}

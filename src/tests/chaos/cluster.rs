//! A Postgres of one's own, which may be killed: made with the installed binaries, as safe as in production, gone when dropped.
//!
//! Its folder is laid out as `bin/lib/postgres.sh` lays out those of `bin/test`, so that what a killed test leaves is swept up.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A running cluster.
pub struct Cluster {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    password: String,
}

impl Cluster {
    pub fn start() -> Self {
        let bin = find_binaries().expect("initdb and pg_ctl of Postgres 15 or newer are installed");
        let uid = printed(Command::new("id").arg("-u"));
        let folder = std::env::temp_dir().join(format!("liteboard-{uid}-chaos{:016x}", rand::random::<u64>()));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let owner = format!("{} {}\n", printed(&mut Command::new("hostname")), std::process::id());
        fs::write(folder.join("owner"), owner).unwrap();
        let password = format!("{:032x}", rand::random::<u128>());
        let mut cluster = Self { bin, folder, port: 0, password };
        cluster.make();
        for _ in 0..20 {
            // Below the ports that the kernel gives to clients: while this one is down nobody else may have it.
            cluster.port = 15_000 + rand::random::<u16>() % 15_000;
            if std::net::TcpListener::bind(("127.0.0.1", cluster.port)).is_ok() && cluster.try_start() {
                return cluster;
            }
        }
        panic!("Postgres does not start: {}", cluster.log());
    }

    fn make(&self) {
        let (data, secret) = (self.folder.join("data"), self.folder.join("password"));
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&secret, &self.password).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            let given = Command::new("chown").arg("postgres").arg(&data).arg(&secret).status().unwrap();
            assert!(given.success(), "Postgres refuses to run as root: there must be a user postgres");
        }
        let made = output(self.tool("initdb").args([
            &format!("--pgdata={}", data.display()),
            &format!("--pwfile={}", secret.display()),
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]));
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    }

    /// Starts it again where it was, which includes recovering from what happened to it.
    pub fn start_again(&self) {
        assert!((0..5).any(|_| self.try_start()), "Postgres does not start again: {}", self.log());
    }

    fn try_start(&self) -> bool {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c timezone=UTC -c max_connections=200",
            self.port
        );
        let log = self.folder.join("data/log");
        let mut command = self.tool("pg_ctl");
        command.args(["start", "--silent", "--wait", "--timeout=60"]);
        command.arg(format!("--pgdata={}", self.data())).arg(format!("--log={}", log.display()));
        command.arg(format!("--options={options}"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    /// As a power cut does it: no checkpoint, no farewell to anybody.
    pub fn kill(&self) {
        let stopped =
            output(self.tool("pg_ctl").args(["stop", "--mode=immediate", "--wait", "--pgdata"]).arg(self.data()));
        assert!(stopped.status.success(), "pg_ctl stop: {}", String::from_utf8_lossy(&stopped.stderr));
    }

    /// The way in for one of its users; all have the same password.
    pub fn url(&self, user: &str) -> String {
        format!("postgres://{user}:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// A place for whatever else belongs to it, gone with it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> String {
        self.folder.join("data").display().to_string()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("data/log")).unwrap_or_default()
    }

    /// Postgres refuses to run as root. It must also be able to enter its working folder.
    fn tool(&self, name: &str) -> Command {
        let tool = self.bin.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(tool);
            command
        } else {
            Command::new(tool)
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.folder.join("data/postmaster.pid").exists() {
            drop(
                self.tool("pg_ctl")
                    .args(["stop", "--mode=immediate", "--silent", "--pgdata"])
                    .arg(self.data())
                    .status(),
            );
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// The folder with the binaries of the newest Postgres from 15 on.
fn find_binaries() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    for (parent, child) in
        [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/opt/homebrew/opt", "bin"), ("/usr/local/opt", "bin")]
    {
        let found = fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path().join(child));
        folders.extend(found);
    }
    folders
        .into_iter()
        .filter(|folder| ["initdb", "pg_ctl"].iter().all(|tool| folder.join(tool).is_file()))
        .filter_map(|folder| {
            let told = printed(Command::new(folder.join("initdb")).arg("--version"));
            let version = told.split(|letter: char| !letter.is_ascii_digit()).find(|part| !part.is_empty())?;
            Some((version.parse::<u32>().ok()?, folder))
        })
        .filter(|(version, _)| *version >= 15)
        .max_by_key(|(version, _)| *version)
        .map(|(_, folder)| folder)
}

fn is_root() -> bool {
    printed(Command::new("id").arg("-u")) == "0"
}

fn printed(command: &mut Command) -> String {
    String::from_utf8_lossy(&output(command).stdout).trim().to_owned()
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

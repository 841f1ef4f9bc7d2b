//! The ways into a guest over its network: ports of this host that lead to its ssh and to its web server.

use crate::machine::Machine;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A command by ssh, or an answer of the web server: 1 s.
pub const NETWORK_LIMIT: Duration = Duration::from_secs(90);

/// QEMU's options for a network in which nothing but the guest and this host is. QEMU takes ports that are free.
pub const FORWARDING_NETWORK: [&str; 4] = [
    "-netdev",
    "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22,hostfwd=tcp:127.0.0.1:0-:80",
    "-device",
    "virtio-net-pci,netdev=net",
];

/// Ports of this host.
pub struct Ports {
    /// Leads to the guest's 22.
    ssh: u16,
    /// Leads to the guest's 80.
    web: u16,
}

impl Ports {
    /// # Errors
    /// QEMU does not tell them.
    pub fn read(machine: &mut Machine) -> Result<Self> {
        let table = machine.qmp.execute("human-monitor-command", json!({ "command-line": "info usernet" }))?;
        let table = table.as_str().context("no text of the forwarded ports")?;
        Ok(Self { ssh: find_forward(table, 22)?, web: find_forward(table, 80)? })
    }

    /// The page at / by http, with its head.
    ///
    /// # Errors
    /// Nobody answers, or not with 200.
    pub fn get_page(&self) -> Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.web))?;
        stream.set_read_timeout(Some(NETWORK_LIMIT))?;
        stream.write_all(b"GET / HTTP/1.0\r\nHost: stand-in\r\n\r\n")?;
        let mut page = String::new();
        stream.read_to_string(&mut page).context("no answer by http")?;
        ensure!(page.starts_with("HTTP/1.1 200 OK"), "the answer by http: {page:?}");
        Ok(page)
    }

    /// `ssh root@guest` with options, to which a command may be added. It dies with this program.
    pub fn ssh(&self, key: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig=KILL", "--", "ssh", "-F", "none", "-p", &self.ssh.to_string()]);
        command.arg("-i").arg(key);
        for option in ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=accept-new", "LogLevel=ERROR"] {
            command.args(["-o", option]);
        }
        // The guest keeps its host key, over a reboot too, when another port leads to it.
        command.args(["-o", "HostKeyAlias=guest"]);
        command.arg("-o").arg(format!("UserKnownHostsFile={}", key.with_extension("hosts").display()));
        command.arg("-o").arg(format!("ConnectTimeout={}", NETWORK_LIMIT.as_secs()));
        command.arg("root@127.0.0.1").stdin(Stdio::null());
        command
    }
}

/// A copy of the key that only we can read, as ssh wants it; none where this host has no ssh.
///
/// # Errors
/// It cannot be copied.
pub fn find_key(image: &Path, scratch: &Path) -> Result<Option<PathBuf>> {
    let original = image.join("key");
    if !original.exists() || Command::new("ssh").arg("-V").output().is_err() {
        return Ok(None);
    }
    let key = scratch.join("key");
    fs::copy(&original, &key).with_context(|| format!("unable to copy {}", original.display()))?;
    File::open(&key)?.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(Some(key))
}

/// The port of this host that leads to one of the guest, from QEMU's table of forwarded ports.
fn find_forward(table: &str, port: u16) -> Result<u16> {
    let find = |line: &str| -> Option<u16> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["TCP[HOST_FORWARD]", _, _, ours, _, theirs, ..] if theirs == port.to_string() => ours.parse().ok(),
            _ => None,
        }
    };
    table.lines().find_map(find).with_context(|| format!("no port leads to {port} in {table:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_port_is_found_by_where_it_leads() {
        let table = "VLAN -1 (net):\r\n  \
             Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n  \
             TCP[HOST_FORWARD]  12       127.0.0.1 39573       10.0.2.15    22     0     0\r\n  \
             TCP[HOST_FORWARD]  11       127.0.0.1 40022       10.0.2.15    80     0     0\r\n";

        assert_eq!(find_forward(table, 80).expect("a port"), 40022);
        assert_eq!(find_forward(table, 22).expect("a port"), 39573);
        assert!(find_forward(table, 443).is_err());
    }
}

//! What is left of the superuser's rights: nothing.

use nix::libc::RLIMIT_NPROC;
use support::{Account, Ending, Executed, Output, needs};

use crate::case::{Case, FAILED};

const NONE: &str = "0000000000000000";

fn has_no_rights(executed: Executed, user: u32, groups: &str) {
    let first = groups.split(' ').next().expect("a group");
    assert_eq!(executed.status("Uid"), [user.to_string().as_str(); 4].join(" "));
    assert_eq!(executed.status("Gid"), [first; 4].join(" "));
    let mut expected: Vec<&str> = groups.split(' ').collect();
    expected.sort_by_key(|group| group.parse::<u32>().expect("a number"));
    assert_eq!(executed.status("Groups"), expected.join(" "));
    for name in ["CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(executed.status(name), NONE, "{name}");
    }
}

#[test]
fn all_ids_change() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new().under(|conditions| conditions.groups(&[0, 4, 20, 27]));
    case.executes(&["-u", ":1000:1001", "./probe"], |executed| has_no_rights(executed, 1000, "1001"));
    case.executes(&["-u", ":1000:9:3:7", "./probe"], |executed| has_no_rights(executed, 1000, "9 3 7"));
    case.executes(&["-u", ":4294967294:4294967294", "./probe"], |executed| {
        has_no_rights(executed, 4_294_967_294, "4294967294");
    });
}

/// Rights that a program may be given beside its user do not outlast the user either.
#[test]
fn rights_that_were_given_apart_go_too() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let case = Case::new();
    let chpst = case.scratch().programs().join("chpst");
    for options in [
        &["--inh-caps=+setuid,+setgid,+sys_chroot", "--ambient-caps=+setuid,+setgid,+sys_chroot"][..],
        &["--securebits=+no_setuid_fixup"],
    ] {
        let mut command = case.scratch().command("/usr/bin/setpriv");
        command.args(options).arg(&chpst).args(["-u", ":1000:1000", "./probe"]);
        let mut process = case.start_command(command);
        let Some(executed) = Executed::wait(&mut process, &case.path("probe")) else {
            panic!("{:?}", process.output());
        };
        has_no_rights(executed, 1000, "1000");
    }
}

#[test]
fn there_is_no_way_back() {
    if !needs(&["root", "setpriv"]) {
        return;
    }
    let case = Case::new();
    let back: [&[&str]; 6] = [
        &["--reuid=0"],
        &["--euid=0"],
        &["--ruid=0"],
        &["--regid=0", "--keep-groups"],
        &["--groups=0"],
        &["--rgid=0", "--keep-groups"],
    ];
    for options in back {
        let words = [&["-u", ":1000:1000", "/usr/bin/setpriv"], options, &["/bin/true"]].concat();
        let mut process = case.start("chpst", &words);
        assert!(matches!(process.wait(), Ending::Exit(1..)), "{options:?}: {}", process.stderr());
    }
    // The user may do what needs no rights.
    let mut process = case.start("chpst", &["-u", ":1000:1000", "/usr/bin/setpriv", "--reuid=1000", "/bin/true"]);
    assert_eq!(process.output(), Output::exit(0, "", ""));
}

/// As a user each of the steps is refused, and nothing comes of it.
#[test]
fn a_user_becomes_nobody_else() {
    let case = Case::new().of_user();
    case.directory("root");
    case.probe("root/probe");
    case.refuses(&["-u", ":0:0", "./probe"], "unable to setgroups: permission denied");
    case.refuses(&["-u", ":1000:1000", "./probe"], "unable to setgroups: permission denied");
    case.refuses(&["-u", "root", "./probe"], "unable to setgroups: permission denied");
    case.refuses(&["-/", "root", "/probe"], "unable to change root directory: permission denied");
    let message = "chpst: fatal: unable to setgroups: permission denied\n";
    assert_eq!(case.run_as("setuidgid", &["root", "./probe"]), Output::exit(FAILED, "", message));
}

/// In a user namespace root may not set groups: a user must not get rid of a group that takes rights away.
#[test]
fn a_namespace_in_which_groups_are_not_set() {
    let case = Case::new().of_user();
    let map = |words: &[&str]| {
        let mut command = case.scratch().command("/usr/bin/unshare");
        command.args(["--user", "--map-root-user"]).args(words);
        case.start_command(command)
    };
    if !needs(&["unshare"]) || map(&["true"]).wait() != Ending::Exit(0) {
        return support::skip("needs user namespaces for everybody");
    }
    let chpst = case.scratch().programs().join("chpst").display().to_string();
    for specification in [":0:0", "root", "root:root"] {
        let mut process = map(&[&chpst, "-u", specification, "./probe"]);
        assert!(Executed::wait(&mut process, &case.path("probe")).is_none());
        let message = "chpst: fatal: unable to setgroups: permission denied\n";
        assert_eq!(process.output(), Output::exit(FAILED, "", message), "{specification}");
    }
}

/// The kernel takes a user who has too many processes, and then executes nothing for it.
#[test]
fn a_user_with_too_many_processes() {
    if !needs(&["root"]) {
        return;
    }
    let account = Account::new();
    let specification = format!(":{0}:{0}", account.id());
    let case = Case::new();
    let mut first = case.start("chpst", &["-u", &specification, "./probe"]);
    assert!(Executed::wait(&mut first, &case.path("probe")).is_some());
    let case = Case::new().under(|conditions| conditions.limit(RLIMIT_NPROC, Some(0), None));
    case.refuses(&["-u", &specification, "./probe"], "unable to run: ./probe: temporary failure");
}

/// The program is looked for and executed with the rights of the new user.
#[test]
fn a_program_that_the_new_user_may_not_execute() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new();
    case.directory("closed");
    case.probe("closed/probe");
    case.mode("closed", 0o700);
    case.refuses(&["-u", ":1000:1000", "closed/probe"], "unable to run: closed/probe: access denied");
    case.executes(&["-u", ":0:0", "closed/probe"], |_| ());
}

/// A right that another program's mode gives is its own matter; ours takes none away.
#[test]
fn the_superuser_keeps_rights_that_are_not_given_up() {
    if !needs(&["root"]) {
        return;
    }
    let case = Case::new().under(|conditions| conditions.groups(&[4, 27]));
    let before = case.executes(&["./probe"], |executed| (executed.status("CapEff"), executed.status("Groups")));
    assert_eq!(before.1, "4 27");
    let told = case
        .executes(&["-U", ":1000:1000", "./probe"], |executed| (executed.status("CapEff"), executed.status("Groups")));
    assert_eq!(told, before);
    case.executes(&["-u", ":0:0", "./probe"], |executed| {
        assert_eq!((executed.status("CapEff"), executed.status("Groups")), (before.0, "0".to_owned()));
    });
}

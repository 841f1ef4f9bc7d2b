//! What only a machine of one's own allows: a wall clock that jumps by decades (F31, K14, K61), the right to be spared
//! when the memory is short (F12), and a kernel that starts another one. A kernel in QEMU whose first program is a shell script: it makes the faults and says
//! what it saw, as lines `NAME: VALUE`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use support::{Ending, Root, Scratch, needs, skip};

/// How long the machine may take from its start to its end, without hardware that helps.
const MACHINE_LIMIT: Duration = Duration::from_secs(240);

/// The kernel that the smoke boot fetches.
fn kernel() -> Option<PathBuf> {
    let from = |name: &str, rest: &str| std::env::var_os(name).map(|directory| Path::new(&directory).join(rest));
    let cache =
        from("PIPIT_CACHE", "").or_else(|| from("XDG_CACHE_HOME", "pipit")).or_else(|| from("HOME", ".cache/pipit"));
    Some(cache?.join("x86_64/kernel")).filter(|kernel| kernel.exists())
}

/// Boots a machine with `script` as its first program, and gives back what was said on its console.
fn run_machine(script: &str) -> Option<Vec<(String, String)>> {
    run_machine_with(script, |_, _| true)
}

/// The same with more in its root, laid there by `prepare`, which gets the kernel too; it says whether that could be done.
fn run_machine_with(script: &str, prepare: impl Fn(&Root, &Path) -> bool) -> Option<Vec<(String, String)>> {
    if !needs(&["qemu-system-x86_64", "busybox"]) {
        return None;
    }
    let Some(kernel) = kernel() else {
        skip("no kernel in the cache: run `qemu/fetch.sh x86_64`");
        return None;
    };
    let scratch = Scratch::new();
    let root = Root::create(&scratch);
    let prologue = "#!/bin/sh\n/bin/busybox --install -s /bin\n\
         mount -t proc proc /proc; mount -t devtmpfs dev /dev; mount -t tmpfs run /run\n\
         exec >/dev/console 2>&1 </dev/null\n";
    let epilogue = "\necho 'machine: ends'\nsync\npoweroff -f\n";
    let _etc = support::Service::create(root.path()).executable("init", &format!("{prologue}{script}{epilogue}"));
    if !prepare(&root, &kernel) {
        return None;
    }
    // Under this name it is left out of what a failing test prints.
    let image = scratch.directory("image/root").join("initramfs");
    let mut command = scratch.command("sh");
    command.args(["-c", "cd root && find . | busybox cpio -o -H newc >\"$0\" 2>/dev/null"]).arg(&image);
    assert_eq!(scratch.output(command).ending, Ending::Exit(0));

    let mut command = scratch.command("qemu-system-x86_64");
    command.args(["-M", "q35", "-accel", "tcg", "-m", "256", "-display", "none", "-nodefaults", "-no-user-config"]);
    command.args(["-no-reboot", "-serial", "stdio", "-append", "console=ttyS0 quiet loglevel=1 panic=-1 rdinit=/init"]);
    command.arg("-initrd").arg(image).arg("-kernel").arg(kernel);
    let started = Instant::now();
    let mut qemu = scratch.start(command, Signal::SIGKILL);
    while qemu.try_wait().is_none() {
        assert!(started.elapsed() < MACHINE_LIMIT, "the machine does not end: {}{}", qemu.stdout(), qemu.stderr());
        std::thread::sleep(Duration::from_millis(20));
    }
    let console = qemu.stdout().replace('\r', "");
    assert!(console.contains("machine: ends\n"), "{console}{}", qemu.stderr());
    support::figure(&format!("machine of its own: {:?}", started.elapsed()));
    let facts = console.lines().filter_map(|line| line.split_once(": "));
    Some(facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

struct Facts(Vec<(String, String)>);

impl Facts {
    #[track_caller]
    fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|fact| fact.0 == name);
        found.map_or_else(|| panic!("no {name} in {:#?}", self.0), |fact| fact.1.as_str())
    }

    #[track_caller]
    fn number(&self, name: &str) -> f64 {
        self.get(name).parse().unwrap_or_else(|error| panic!("{name}: {error}: {:#?}", self.0))
    }
}

/// The wall clock goes from 1970 to 2100, to 2038 and back to 1970.
const CLOCK: &str = r#"
date -s @100 >/dev/null
mkdir -p /scan/web /scan/crash /scan/stubborn /late
cat >/scan/web/run <<'END'
#!/bin/sh
exec sleep 1000
END
cat >/scan/crash/run <<'END'
#!/bin/sh
read -r line </proc/$$/stat; set -- $line; shift 21; echo $1 >>starts
END
cat >/scan/stubborn/run <<'END'
#!/bin/sh
trap '' TERM
while :; do sleep 1; done
END
echo 500 >/scan/stubborn/timeout-kill
cp /scan/web/run /late/run
chmod +x /scan/*/run /late/run

now() { read -r up _ </proc/uptime; echo "$up" | tr -d .; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { print (b - a) / 100 }'; }
age() { sv status "$1" | sed 's/.*) \([0-9-]*\)s.*/\1/'; }
pid() { cat "/scan/$1/supervise/pid"; }
wait_for() { until eval "$1"; do sleep 0.1; done; }
export SVDIR=/scan

runsvdir /scan 2>/said &
for name in web crash stubborn; do wait_for "[ -s /scan/$name/supervise/status ]"; done
wait_for '[ -n "$(pid web)" ] && [ -n "$(pid stubborn)" ]'
echo "age in 1970: $(age web)"
first=$(pid web)

jump() {
    date -s "@$2" >/dev/null
    echo "year $1: $(date +%Y)"
    echo "age in $1: $(age web)"
    begin=$(now)
    echo "restart in $1: $(sv -w20 restart web)"
    echo "restart took in $1: $(since "$begin")"
    begin=$(now)
    sv -w2 -v force-stop crash >/dev/null
    sv up crash
    sv -w1 check absent >/dev/null
    echo "checks took in $1: $(since "$begin")"
    wait_for '[ -n "$(pid stubborn)" ]'
    begin=$(now)
    sv -w20 down stubborn >/dev/null
    echo "kill took in $1: $(since "$begin")"
    sv up stubborn
    date -s "@$(($2 + 3))" >/dev/null
    old=$(pid web)
    begin=$(now)
    kill -9 "$old"
    wait_for '[ -n "$(pid web)" ] && [ "$(pid web)" != "$old" ]'
    echo "came back in $1: $(since "$begin")"
}
jump 2100 4102444800
jump 2038 2147483640
jump 1970 200

# A supervisor that was killed in another year takes over all the same.
old=$(pid web)
supervisor=$(sv show web | sed -n 's/^supervisor=//p')
date -s @1893456000 >/dev/null
kill -9 "$supervisor"
wait_for '[ "$(sv show web | sed -n s/^supervisor=//p)" != "$supervisor" ]'
wait_for 'sv show web | grep -q taken-over=yes'
echo "same process: $([ "$(pid web)" = "$old" ] && echo yes)"
ln -s /late /scan/late
begin=$(now)
wait_for '[ -s /late/supervise/pid ]'
echo "late came: $(since "$begin")"
echo "starts: $(tail -n 9 /scan/crash/starts | tr '\n' ' ')"
echo "said: $(tr '\n' '|' </said)"
"#;

#[test]
fn mends_f31_wall_clock_that_jumps() {
    let Some(facts) = run_machine(CLOCK).map(Facts) else { return };
    for year in ["2100", "2038", "1970"] {
        assert_eq!(facts.get(&format!("year {year}")), year);
        let age = facts.number(&format!("age in {year}"));
        assert!((0.0..120.0).contains(&age), "{year}: {:#?}", facts.0);
        assert!(facts.get(&format!("restart in {year}")).starts_with("ok: run: web: (pid "), "{:#?}", facts.0);
        let took = |what: &str| facts.number(&format!("{what} in {year}"));
        // The least that is due, and what a slow machine may add.
        assert!(took("restart took") < 10.0, "{:#?}", facts.0);
        assert!(took("came back") < 10.0, "{:#?}", facts.0);
        assert!((0.4..15.0).contains(&took("kill took")), "{:#?}", facts.0);
        assert!(took("checks took") < 15.0, "{:#?}", facts.0);
    }
    assert_eq!(facts.get("same process"), "yes");
    assert!(facts.number("late came") < 10.0, "{:#?}", facts.0);
    let starts: Vec<String> = facts.get("starts").split_whitespace().map(str::to_owned).collect();
    let gaps = support::seconds_between(&starts);
    assert!(gaps.len() >= 2 && gaps.iter().all(|gap| *gap > 0.75), "seconds between starts: {gaps:?}");
    let said = facts.get("said");
    assert!(!said.contains("runsvdir"), "{said}");
}

const MEMORY: &str = r#"
mkdir -p /scan/web/log /scan/web/control
for script in run finish control/h log/run; do
    cat >"/scan/web/$script" <<'END'
#!/bin/sh
name=${0##*/}
[ "${PWD##*/}" = log ] && name=log
cat /proc/self/oom_score_adj >"/said.$name"
case $name in
run) exec sleep 1000 ;;
log) exec cat ;;
esac
END
    chmod +x "/scan/web/$script"
done
wait_for() { until eval "$1"; do sleep 0.1; done; }
adj() { cat "/proc/$1/oom_score_adj"; }
for score in 0 300 -500 -1000; do
    rm -f /said.*
    sh -c "echo $score >/proc/self/oom_score_adj; exec runsvdir /scan" &
    runsvdir=$!
    wait_for '[ -s /said.run ] && [ -s /said.log ]'
    runsv=$(cat "/proc/$runsvdir/task/$runsvdir/children")
    echo "runsvdir of $score: $(adj "$runsvdir")"
    echo "runsv of $score: $(adj ${runsv% })"
    printf h >/scan/web/supervise/control
    wait_for '[ -s /said.h ]'
    printf d >/scan/web/supervise/control
    wait_for '[ -s /said.finish ]'
    for name in run finish h log; do
        echo "$name of $score: $(cat "/said.$name")"
    done
    kill -HUP "$runsvdir"
    wait "$runsvdir"
    wait_for '! [ -d "/proc/${runsv% }" ]'
done
"#;

#[test]
fn adds_f12_supervisors_are_spared_and_their_children_are_not() {
    let Some(facts) = run_machine(MEMORY).map(Facts) else { return };
    for (score, expected) in [("0", "0"), ("300", "300"), ("-500", "-500"), ("-1000", "0")] {
        for name in ["runsvdir", "runsv"] {
            assert_eq!(facts.get(&format!("{name} of {score}")), "-1000", "{name}: {:#?}", facts.0);
        }
        for name in ["run", "finish", "h", "log"] {
            assert_eq!(facts.get(&format!("{name} of {score}")), expected, "{name}: {:#?}", facts.0);
        }
    }
}

/// kexec_file_load(2), for which busybox has no program.
const LOADER: &str = r#"
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int count, char **words)
{
    int kernel = open(words[1], O_RDONLY);
    int initramfs = open(words[2], O_RDONLY);

    return count != 4 || syscall(SYS_kexec_file_load, kernel, initramfs, strlen(words[3]) + 1, words[3], 0L) != 0;
}
"#;

/// The first program of the second kernel.
const SECOND: &str = "#!/bin/busybox sh\n/bin/busybox mount -t proc proc /proc; /bin/busybox mount -t devtmpfs dev /dev
exec >/dev/console 2>&1\necho \"second kernel: $(/bin/busybox cat /proc/cmdline)\"\necho 'machine: ends'
/bin/busybox poweroff -f\n";

/// Lays the loader, the kernel and an initramfs for it into the root; false if there is no compiler for the loader.
fn lay_second_kernel(root: &Root, kernel: &Path) -> bool {
    let scratch = Scratch::new();
    let source = scratch.file("loader.c", LOADER);
    let mut compile = scratch.command("cc");
    compile.args(["-static", "-Os", "-o"]).arg(root.path().join("sbin/loader")).arg(source);
    let output = scratch.output(compile);
    if output.ending != Ending::Exit(0) {
        skip(&format!("needs a C compiler and a static libc: {}", output.stderr));
        return false;
    }
    std::fs::copy(kernel, root.path().join("kernel")).expect("the kernel");
    let second = scratch.directory("second");
    for directory in ["bin", "dev", "proc"] {
        std::fs::create_dir(second.join(directory)).expect("a directory");
    }
    std::fs::copy(root.path().join("bin/busybox"), second.join("bin/busybox")).expect("busybox");
    let _init = support::Service::create(&second).executable("init", SECOND);
    let mut pack = scratch.command("sh");
    pack.args(["-c", "cd second && find . | busybox cpio -o -H newc >\"$0\" 2>/dev/null"]);
    pack.arg(root.path().join("second"));
    scratch.output(pack).ending == Ending::Exit(0)
}

/// Stage 2 loads the kernel that runs once more, and asks for it.
const KEXEC: &str = r#"
mkdir -p /sys /run/runit; mount -t sysfs sys /sys
echo '#!/bin/sh' | tee /etc/runit/1 /etc/runit/2 >/etc/runit/3
echo 'echo "loaded before: $(cat /sys/kernel/kexec_loaded)"' >>/etc/runit/1
cat >>/etc/runit/2 <<'END'
/sbin/loader /kernel /second 'console=ttyS0 quiet loglevel=1 panic=-1 again'
echo "loaded in stage 2: $(cat /sys/kernel/kexec_loaded)"
/sbin/reboot -k
exec sleep 1000
END
echo 'echo "stage 3: runs"' >>/etc/runit/3
chmod 755 /etc/runit/[123]
exec /sbin/init
"#;

/// Stage 3 is the real one, with all its parts; a plain `reboot` is asked for.
fn lay_stage_3(root: &Root, kernel: &Path) -> bool {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("stage-scripts");
    let target = root.path().join("etc/runit");
    let scratch = Scratch::new();
    let mut copy = scratch.command("cp");
    copy.arg("-R").args(["3", "functions", "configuration", "deadline", "shutdown"].map(|name| scripts.join(name)));
    copy.arg(target);
    assert_eq!(scratch.output(copy).ending, Ending::Exit(0));
    lay_second_kernel(root, kernel)
}

#[test]
fn adds_a_reboot_starts_the_kernel_that_is_loaded() {
    let script = KEXEC
        .replace("/etc/runit/1 /etc/runit/2 >/etc/runit/3", "/etc/runit/1 >/etc/runit/2")
        .replace("/sbin/reboot -k", "/sbin/reboot")
        .replace("echo 'echo \"stage 3: runs\"' >>/etc/runit/3\n", "");
    let Some(facts) = run_machine_with(&script, lay_stage_3).map(Facts) else { return };
    assert_eq!(facts.get("loaded in stage 2"), "1");
    let said = |program: &str, text: &str| facts.0.contains(&(program.to_owned(), text.to_owned()));
    assert!(said("- shutdown", "kexec: starting the loaded kernel instead of a reboot"), "{:#?}", facts.0);
    assert!(said("- runit", "system kexec."), "{:#?}", facts.0);
    assert!(facts.get("second kernel").ends_with(" again"), "{:#?}", facts.0);
}

#[test]
fn adds_kexec_starts_another_kernel() {
    let Some(facts) = run_machine_with(KEXEC, lay_second_kernel).map(Facts) else { return };
    assert_eq!((facts.get("loaded before"), facts.get("loaded in stage 2")), ("0", "1"));
    assert_eq!(facts.get("stage 3"), "runs");
    assert!(facts.0.contains(&("- runit".to_owned(), "system kexec.".to_owned())), "{:#?}", facts.0);
    assert!(!facts.0.iter().any(|fact| fact.1 == "system reboot."), "{:#?}", facts.0);
    assert!(facts.get("second kernel").ends_with(" again"), "{:#?}", facts.0);
}

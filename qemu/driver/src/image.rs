//! What a guest's root holds: the installed tree, a static busybox under all its names, modules, device nodes, the files of `rootfs/`.
//!
//! Later layers win: the files of the image over busybox, the installed tree over both, so that our `init` or `halt` is never busybox's.

use crate::newc::{Entry, Tree};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where the parts of an image come from.
pub struct Sources {
    /// Directories laid over each other in this order, with the places in the guest where they go.
    pub layers: Vec<(PathBuf, String)>,
    pub busybox: PathBuf,
    /// Directory of `.ko` files and the kernel release they belong to.
    pub modules: Option<(PathBuf, String)>,
}

/// Where the parts of a disk's root come from, and of the initramfs that finds it.
pub struct Parts {
    pub handoff: PathBuf,
    /// Directory of `.ko` files; their names, in the order in which they are loaded, are in the file beside it that ends with `.list`.
    pub modules: PathBuf,
    pub root: Sources,
}

/// Builds the tree of the image.
///
/// # Errors
/// A source that cannot be read, or is not what it should be.
pub fn build_tree(sources: &Sources) -> Result<Tree> {
    let mut tree = Tree::default();
    for directory in ["dev", "proc", "run", "sys", "tmp", "root", "var/log"] {
        tree.put(directory, Entry::Directory { mode: 0o755 });
    }
    tree.put("tmp", Entry::Directory { mode: 0o1777 });
    // Without the console the first messages of pid 1 would depend on the kernel's own built-in initramfs.
    tree.put("dev/console", Entry::CharacterDevice { mode: 0o600, major: 5, minor: 1 });
    tree.put("dev/null", Entry::CharacterDevice { mode: 0o666, major: 1, minor: 3 });
    tree.put("init", Entry::Link { target: "/sbin/runit-init".to_owned() });
    for (directory, place) in &sources.layers {
        put_directory(&mut tree, directory, place)?;
    }
    if let Some((directory, release)) = &sources.modules {
        put_modules(&mut tree, directory, release)?;
    }
    put_busybox(&mut tree, &sources.busybox)?;
    Ok(tree)
}

/// Builds the tree of an initramfs of handoff with the modules that lead to a root.
///
/// # Errors
/// A source that cannot be read.
pub fn build_finder(parts: &Parts) -> Result<Tree> {
    let mut tree = Tree::default();
    for directory in ["dev", "proc", "root", "run", "sys"] {
        tree.put(directory, Entry::Directory { mode: 0o755 });
    }
    tree.put("dev/console", Entry::CharacterDevice { mode: 0o600, major: 5, minor: 1 });
    tree.put("dev/null", Entry::CharacterDevice { mode: 0o666, major: 1, minor: 3 });
    tree.put("init", program(&parts.handoff)?);
    let mut list = String::from("# In this order.\n");
    for name in module_order(&parts.modules)? {
        tree.put(&format!("lib/{name}.ko"), program(&parts.modules.join(format!("{name}.ko")))?);
        list.push_str(&format!("/lib/{name}.ko\n"));
    }
    tree.put("etc/handoff/modules", Entry::File { mode: 0o644, content: list.into_bytes() });
    Ok(tree)
}

/// The names in the list beside a directory of modules. With a kernel of one's own there may be none.
fn module_order(modules: &Path) -> Result<Vec<String>> {
    let list = modules.with_extension("list");
    match fs::read_to_string(&list) {
        Ok(text) => Ok(text.split_whitespace().map(str::to_owned).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("unable to read: {}", list.display())),
    }
}

/// A file that is executed, or loaded.
///
/// # Errors
/// It cannot be read.
pub fn program(path: &Path) -> Result<Entry> {
    let content = fs::read(path).with_context(|| format!("unable to read: {}", path.display()))?;
    Ok(Entry::File { mode: 0o755, content })
}

fn put_directory(tree: &mut Tree, directory: &Path, place: &str) -> Result<()> {
    let listing =
        fs::read_dir(directory).with_context(|| format!("unable to read directory: {}", directory.display()))?;
    for item in listing {
        let path = item?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .with_context(|| format!("name is not UTF-8: {}", path.display()))?;
        let inside = if place.is_empty() { name.to_owned() } else { format!("{place}/{name}") };
        let metadata = fs::symlink_metadata(&path).with_context(|| format!("unable to stat: {}", path.display()))?;
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_symlink() {
            let target = fs::read_link(&path)?;
            let target = target.to_str().with_context(|| format!("link is not UTF-8: {}", path.display()))?;
            tree.put(&inside, Entry::Link { target: target.to_owned() });
        } else if metadata.is_dir() {
            tree.put(&inside, Entry::Directory { mode: mode | 0o755 });
            put_directory(tree, &path, &inside)?;
        } else if metadata.is_file() {
            let content = fs::read(&path).with_context(|| format!("unable to read: {}", path.display()))?;
            tree.put(&inside, Entry::File { mode: mode | 0o444, content });
        } else {
            bail!("neither file, directory nor link: {}", path.display());
        }
    }
    Ok(())
}

/// Modules, and the file that lets `modprobe` find them: nothing but their names and what each one says it depends on.
fn put_modules(tree: &mut Tree, directory: &Path, release: &str) -> Result<()> {
    let place = format!("lib/modules/{release}");
    let mut dependencies = String::new();
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .with_context(|| format!("unable to read directory: {}", directory.display()))?
        .map(|item| Ok(item?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let content = fs::read(&path).with_context(|| format!("unable to read: {}", path.display()))?;
        let needs: Vec<String> = module_dependencies(&content).iter().map(|needed| format!("{needed}.ko")).collect();
        dependencies.push_str(&format!("{name}: {}\n", needs.join(" ")));
        tree.put(&format!("{place}/{name}"), Entry::File { mode: 0o644, content });
    }
    tree.put(&format!("{place}/modules.dep"), Entry::File { mode: 0o644, content: dependencies.into_bytes() });
    Ok(())
}

/// The names after `depends=` in the information section of a module.
fn module_dependencies(module: &[u8]) -> Vec<String> {
    let Some(start) = find(module, b"\0depends=") else { return Vec::new() };
    let value = module[start + b"\0depends=".len()..].split(|&byte| byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value).split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// busybox and a link in /bin for every applet whose name nobody else has taken in a directory of programs.
fn put_busybox(tree: &mut Tree, path: &Path) -> Result<()> {
    let content = fs::read(path).with_context(|| format!("unable to read: {}", path.display()))?;
    let applets = applet_names(&content)
        .with_context(|| format!("unable to find the names of the applets in {}", path.display()))?;
    let taken: BTreeSet<String> = tree
        .paths()
        .filter_map(|path| path.rsplit_once('/'))
        .filter(|(directory, _)| matches!(*directory, "bin" | "sbin" | "usr/bin" | "usr/sbin"))
        .map(|(_, name)| name.to_owned())
        .collect();
    tree.put("bin/busybox", Entry::File { mode: 0o755, content });
    for applet in applets.iter().filter(|&applet| applet != "busybox" && !taken.contains(applet)) {
        tree.put(&format!("bin/{applet}"), Entry::Link { target: "busybox".to_owned() });
    }
    // Where scripts of the wide world look for them.
    tree.put("usr/bin/env", Entry::Link { target: "../../bin/busybox".to_owned() });
    tree.put("sbin/getty", Entry::Link { target: "../bin/busybox".to_owned() });
    Ok(())
}

/// The names that `busybox --list` prints, read from the executable, which may be of another architecture: they stand there in order,
/// beginning with `[` and `[[`, each ended by a zero byte, an empty one after the last.
fn applet_names(executable: &[u8]) -> Result<Vec<String>> {
    let start = find(executable, b"\0[\0[[\0").context("no list that begins with [ and [[")?;
    let names: Vec<String> = executable[start + 1..]
        .split(|&byte| byte == 0)
        .take_while(|name| !name.is_empty())
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    ensure!(names.is_sorted(), "the list is not in order");
    for needed in ["sh", "getty", "login", "mount"] {
        ensure!(names.iter().any(|name| name == needed), "{needed} is missing: this busybox is cut down too far");
    }
    Ok(names)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applet_names_end_at_the_empty_one() {
        let executable = b"junk\0[\0[[\0ash\0getty\0login\0mount\0sh\0\0/bin/sh\0";

        assert_eq!(applet_names(executable).expect("a list"), ["[", "[[", "ash", "getty", "login", "mount", "sh"]);
    }

    #[test]
    fn a_busybox_without_a_shell_is_refused() {
        assert!(applet_names(b"\0[\0[[\0getty\0login\0mount\0\0").is_err());
        assert!(applet_names(b"no list at all").is_err());
    }

    #[test]
    fn modules_are_taken_in_the_order_of_their_list() {
        let scratch = tempfile::tempdir().expect("a directory");
        let modules = scratch.path().join("root-modules");
        assert!(module_order(&modules).expect("none").is_empty());

        fs::write(scratch.path().join("root-modules.list"), "virtio_ring virtio\n    crc-t10dif\n").expect("a list");

        assert_eq!(module_order(&modules).expect("a list"), ["virtio_ring", "virtio", "crc-t10dif"]);
    }

    #[test]
    fn dependencies_of_a_module_are_the_names_between_commas() {
        assert_eq!(module_dependencies(b"x\0depends=fat,nls_ascii\0name=vfat\0"), ["fat", "nls_ascii"]);
        assert!(module_dependencies(b"x\0depends=\0name=fat\0").is_empty());
    }

    #[test]
    fn an_applet_whose_name_is_taken_gets_no_link() {
        let scratch = tempfile::tempdir().expect("a directory");
        let root = scratch.path().join("root");
        fs::create_dir_all(root.join("usr/bin")).expect("a directory");
        fs::write(root.join("usr/bin/mount"), "ours").expect("a file");
        let busybox = scratch.path().join("busybox");
        fs::write(&busybox, b"\0[\0[[\0getty\0login\0mount\0sh\0\0").expect("a file");

        let tree =
            build_tree(&Sources { layers: vec![(root, String::new())], busybox, modules: None }).expect("a tree");

        let paths: Vec<&str> = tree.paths().collect();
        assert!(paths.contains(&"usr/bin/mount"));
        assert!(!paths.contains(&"bin/mount"));
        assert!(paths.contains(&"bin/login"));
    }
}

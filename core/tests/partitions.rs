//! Partitions of tables that fdisk's tools have made are known by what partx(8) says of them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use supervision::handoff::partition::{READ_BYTES, Search, Step};
use support::needs;

/// UUID and label of a partition.
type Known = (String, String);

fn search(disk: &Path, number: u32) -> Option<Known> {
    let mut disk = File::open(disk).unwrap();
    let mut search = Search::new(number, 512);
    let mut offset = 0;
    loop {
        let mut bytes = vec![];
        disk.seek(SeekFrom::Start(offset)).unwrap();
        Read::by_ref(&mut disk).take(READ_BYTES as u64).read_to_end(&mut bytes).unwrap();
        match search.next(&bytes) {
            Step::Read(next) => offset = next,
            Step::Missing => return None,
            Step::Found(partition) => {
                let mut label = vec![];
                partition.label.write(&mut |piece| label.extend(piece));
                let uuid = partition.uuid.as_bytes().to_vec();
                return Some((String::from_utf8(uuid).unwrap(), String::from_utf8(label).unwrap()));
            }
        }
    }
}

/// Makes a disk by what sfdisk(8) is told, compares all its partitions, and gives their numbers.
fn compare(told: &str) -> Vec<u32> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("disk");
    File::create(&path).unwrap().set_len(64 * 1024 * 1024).unwrap();
    let mut sfdisk = Command::new("sfdisk");
    sfdisk.arg("--quiet").arg(&path).env("LC_ALL", "C.UTF-8").stdin(Stdio::piped());
    let mut sfdisk = sfdisk.spawn().unwrap();
    sfdisk.stdin.take().unwrap().write_all(told.as_bytes()).unwrap();
    assert!(sfdisk.wait().unwrap().success());
    let output =
        Command::new("partx").args(["--noheadings", "--pairs", "--output", "NR,UUID,NAME"]).arg(&path).output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    let mut numbers = vec![];
    for line in said.lines() {
        let fields: Vec<&str> = line.split('"').collect();
        let [_, number, _, uuid, _, label, _] = fields[..] else { panic!("{line}") };
        let number = number.parse().unwrap();
        assert_eq!(search(&path, number), Some((uuid.to_owned(), plain(label))), "{number}");
        numbers.push(number);
    }
    numbers
}

/// A text in which bytes above 127 are written as `\xhh`.
fn plain(text: &str) -> String {
    let mut bytes = vec![];
    let mut parts = text.split("\\x");
    bytes.extend(parts.next().unwrap().bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_gpt() {
    if needs(&["sfdisk", "partx"]) {
        let numbers = compare(
            "label: gpt\n\
             1: size=4MiB, name=\"root\", uuid=AABBCCDD-1122-3344-5566-778899AABBCC\n\
             2: size=4MiB, name=\"Größe und 日本\"\n\
             5: size=1MiB, name=\"all-36-letters-that-there-may-be-in1\"\n\
             100: size=1MiB\n",
        );
        assert_eq!(numbers, [1, 2, 5, 100]);
    }
}

#[test]
fn a_table_of_dos() {
    if needs(&["sfdisk", "partx"]) {
        let logical = "size=1MiB\n".repeat(13);
        let numbers = compare(&format!(
            "label: dos\nlabel-id: 0x0badcafe\nsize=1MiB\nsize=50MiB, type=5\nsize=1MiB\nsize=1MiB\n{logical}"
        ));
        assert_eq!(numbers, (1..=17).collect::<Vec<u32>>());
    }
}

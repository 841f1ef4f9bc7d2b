//! What is wanted of `svlogd`.

use super::{Side, Wanted, seen};

/// The differences of `svlogd`.
pub const WANTED: &[Wanted] = &[
    Wanted {
        source: "K4",
        reason: "A processor that was killed has failed: it is run again, and nothing is lost.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["processor that fails once: killed"],
                "files of log",
                "@LABEL.s 0744 0 bytes",
                "@LABEL.s 0744 7 bytes\n| Line 1",
            ),
            seen(
                &["processor that fails once: killed", "processor that fails once: killed with output"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: processor failed, restart: log",
            ),
            seen(&["processor that fails once: killed with output"], "files of log", "| output", "| Line 1"),
        ],
    },
    Wanted {
        source: "K70, K83",
        reason: "A last line without an end is written, and gets one. `...` stands only behind what is longer.",
        side: Side::Svlogd,
        differences: &[
            seen(&["end of input within a line of 1"], "stderr of svlogd", "", "| a"),
            seen(
                &["end of input within a line of 1"],
                "files of log",
                "current 0744 5 bytes\n| line",
                "current 0744 7 bytes\n| line\n| a",
            ),
            seen(&["end of input within a line of 19"], "stderr of svlogd", "", "| {a 19 times}"),
            seen(
                &["end of input within a line of 19"],
                "files of log",
                "current 0744 5 bytes\n| line",
                "current 0744 25 bytes\n| line\n| {a 19 times}",
            ),
            seen(&["end of input within a line of 20"], "stderr of svlogd", "| {a 20 times}...", "| {a 20 times}"),
            seen(&["end of input within a line of 1 with stamps"], "stderr of svlogd", "", "| STAMP_ a"),
            seen(
                &["end of input within a line of 1 with stamps"],
                "files of log",
                "current 0744 31 bytes\n| STAMP_ line",
                "current 0744 59 bytes\n| STAMP_ line\n| STAMP_ a",
            ),
            seen(
                &["end of input within a line of 20 with stamps"],
                "stderr of svlogd",
                "| STAMP_ {a 20 times}...",
                "| STAMP_ {a 20 times}",
            ),
        ],
    },
    Wanted {
        source: "K71",
        reason: "Lines that are under way when TERM comes are written.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["TERM within a line that is completed"],
                "files of log",
                "current 0744 7 bytes\n| line 1",
                "current 0744 22 bytes\n| line 1\n| part of line 2",
            ),
            seen(
                &["TERM within a line that is completed, and another"],
                "files of log",
                "current 0744 14 bytes\n| line 1",
                "current 0744 29 bytes\n| line 1\n| part of line 2",
            ),
            seen(
                &["TERM within a line that never ends"],
                "files of log",
                "current 0744 7 bytes\n| line 1",
                "current 0744 16 bytes\n| line 1\n| part of\\x20",
            ),
            seen(
                &["TERM and lines that wait"],
                "files of log",
                "current 0744 21 bytes\n| line 1\n| line 2\n| line 3",
                "current 0744 28 bytes\n| line 1\n| line 2\n| line 3\n| line 4",
            ),
        ],
    },
    Wanted {
        source: "K72",
        reason: "What is replaced is replaced to the end of the line.",
        side: Side::Svlogd,
        differences: &[seen(
            &["replacement in long lines"],
            "files of log",
            "| {_ 20 times}\\x09\n| {_ 20 times}{\\x09 20 times}\n| {_ 20 times}{\\x09 1080 times}",
            "| {_ 21 times}\n| {_ 40 times}\n| {_ 1100 times}",
        )],
    },
    Wanted {
        source: "K73",
        reason: "What a processor has left half done is removed at the start.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["opening old files"],
                "files of log",
                "@400000005f5e120a0001e240.t 0744 31 bytes\n| of @400000005f5e120a0001e240.t",
                "",
            ),
            seen(
                &["opening old files"],
                "files of log #2",
                "@400000005f5e120a0001e240.t 0744 31 bytes\n| of @400000005f5e120a0001e240.t",
                "",
            ),
            seen(
                &["opening old files"],
                "files of log #3",
                "@400000005f5e120a0001e240.t 0744 31 bytes\n| of @400000005f5e120a0001e240.t",
                "",
            ),
        ],
    },
    Wanted {
        source: "K73",
        reason: "A processor that runs is not forgotten at HUP.",
        side: Side::Svlogd,
        differences: &[seen(
            &["while a processor runs: HUP"],
            "files of log",
            "@LABEL.t 0644 7 bytes\n| Line 1\n@LABEL.u 0744 7 bytes\n| line 1\nconfig 0644 72 bytes\n| !:>s\
                tarted; while ! test -e gate; do sleep 0.02; done; sed s/line/Line/\ncurrent 0744 7 bytes\n| li\
                ne 2\nlock 0600 0 bytes\nnewstate 0644 0 bytes",
            "@LABEL.s 0744 7 bytes\n| Line 1\nconfig 0644 72 bytes\n| !:>started; while ! test -e gate; do \
                sleep 0.02; done; sed s/line/Line/\ncurrent 0744 7 bytes\n| line 2\nlock 0600 0 bytes",
        )],
    },
    Wanted {
        source: "K75",
        reason: "A rotation does not wait for the processor of an earlier one; it is told.",
        side: Side::Svlogd,
        differences: &[seen(
            &["while a processor runs: ALRM"],
            "stderr of svlogd",
            "",
            "| svlogd: warning: processor already running: log",
        )],
    },
    Wanted {
        source: "K77",
        reason: "What was not closed properly is processed.",
        side: Side::NextSvlogd,
        differences: &[seen(
            &["one svlogd after another that was killed with a processor"],
            "files of log",
            "@LABEL.u 0644 7 bytes\n| line 1",
            "@LABEL.s 0744 7 bytes\n| Line 1",
        )],
    },
    Wanted {
        source: "K77",
        reason: "What an earlier svlogd has not processed is.",
        side: Side::Svlogd,
        differences: &[seen(
            &["files that an earlier processor has left"],
            "files of log",
            "@400000005f5e100a00000000.u 0744 11 bytes\n| old line 1\n@400000005f5e110a00000000.u 0644 11 b\
                ytes\n| old line 2",
            "@400000005f5e100a00000000.s 0744 11 bytes\n| old Line 1\n@400000005f5e110a00000000.s 0744 11 b\
                ytes\n| old Line 2",
        )],
    },
    Wanted {
        source: "K78",
        reason: "All surplus files are removed, and files that wait for a processor count.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["opening old files and a current that was not closed"],
                "files of log",
                "@400000005f5e100a00000000.s 0744 31 bytes\n| of @400000005f5e100a{0 8 times}.s\n@400000005f5e1\
                00a000001f4.u 0744 31 bytes\n| of @400000005f5e100a000001f4.u",
                "",
            ),
            seen(
                &["opening old files and a current that was not closed"],
                "files of log #2",
                "@400000005f5e100a00000000.s 0744 31 bytes\n| of @400000005f5e100a{0 8 times}.s\n@400000005f5e1\
                00a000001f4.u 0744 31 bytes\n| of @400000005f5e100a000001f4.u",
                "",
            ),
            seen(
                &["opening old files and a current that was not closed"],
                "files of log #3",
                "@400000005f5e100a00000000.s 0744 31 bytes\n| of @400000005f5e100a{0 8 times}.s\n@400000005f5e1\
                00a000001f4.u 0744 31 bytes\n| of @400000005f5e100a000001f4.u",
                "",
            ),
        ],
    },
    Wanted {
        source: "K78",
        reason: "A file that was not closed properly counts, and is removed in its turn.",
        side: Side::NextSvlogd,
        differences: &[seen(
            &["one svlogd after another that was killed"],
            "files of log #3",
            "@LABEL.u 0644 33 bytes\n| @LABEL line 3",
            "",
        )],
    },
    Wanted {
        source: "K78",
        reason: "All surplus files are removed, not one at each rotation.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["number of files made smaller"],
                "sizes of log",
                "@LABEL.s 0744 7 bytes\n@LABEL.s 0744 7 bytes\n@LABEL.s 0744 7 bytes\n@LABEL.s 0744 7 bytes",
                "",
            ),
            seen(
                &["number of files made smaller"],
                "sizes of log #2",
                "@LABEL.s 0744 7 bytes\n@LABEL.s 0744 7 bytes\n@LABEL.s 0744 7 bytes\n@LABEL.s 0744 7 bytes",
                "",
            ),
        ],
    },
    Wanted {
        source: "K79",
        reason: "Only a line that is larger than a whole file is cut, and a file is not left before it is half full\
            .",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["rotation at 100 -l20 with lines of [50, 60]"],
                "files of log",
                "@LABEL.s 0744 100 bytes\n| {a 50 times}\n|~ {a 49 times}\nconfig 0644 8 bytes\n| s100\n| n0\nc\
                urrent 0744 12 bytes\n| {a 11 times}",
                "@LABEL.s 0744 51 bytes\n| {a 50 times}\nconfig 0644 8 bytes\n| s100\n| n0\ncurrent 0744 61 byt\
                es\n| {a 60 times}",
            ),
            seen(
                &["rotation at 100 -l20 with lines of [50, 150]"],
                "files of log",
                "@LABEL.s 0744 100 bytes\n| {a 50 times}\n|~ {a 49 times}\n@LABEL.s 0744 100 bytes\n|~ {a 51 ti\
                mes}{b 49 times}\nconfig 0644 8 bytes\n| s100\n| n0\ncurrent 0744 2 bytes\n| b",
                "@LABEL.s 0744 51 bytes\n| {a 50 times}\n@LABEL.s 0744 100 bytes\n|~ {a 100 times}\nconfig 0644 \
                8 bytes\n| s100\n| n0\ncurrent 0744 51 bytes\n| {b 50 times}",
            ),
            seen(
                &["rotation at 100 -l20 with lines of [99, 100, 101]"],
                "files of log",
                "@LABEL.s 0744 100 bytes\n|\n|~ {a 99 times}\nconfig 0644 8 bytes\n| s100\n| n0\ncurrent 0744 3 \
                bytes\n| ab",
                "@LABEL.s 0744 1 bytes\n|\n@LABEL.s 0744 100 bytes\n|~ {a 100 times}\nconfig 0644 8 bytes\n| s1\
                00\n| n0\ncurrent 0744 2 bytes\n| b",
            ),
            seen(
                &["rotation at 500  with lines of [100, 100, 100, 100, 100, 100, 100]"],
                "files of log",
                "@LABEL.s 0744 500 bytes\n| {a 100 times}\n| {a 100 times}\n| {a 100 times}\n| {a 100 times}\n|\
                ~ {a 96 times}\nconfig 0644 8 bytes\n| s500\n| n0\ncurrent 0744 207 bytes\n| aaaa\n| {a 100 tim\
                es}",
                "@LABEL.s 0744 303 bytes\n| {a 100 times}\n| {a 100 times}\n| {a 100 times}\n@LABEL.s 0744 303 \
                bytes\n| {a 100 times}\n| {a 100 times}\n| {a 100 times}\nconfig 0644 8 bytes\n| s500\n| n0\ncu\
                rrent 0744 101 bytes",
            ),
            seen(
                &["rotation at 500  with lines of [300, 300, 300]"],
                "files of log",
                "@LABEL.s 0744 500 bytes\n| {a 100 times}{b 100 times}{c 100 times}\n|~ {a 100 times}{b 99 time\
                s}\nconfig 0644 8 bytes\n| s500\n| n0\ncurrent 0744 403 bytes\n| b{c 100 times}\n| {a 100 times\
                }{b 100 times}{c 100 times}",
                "@LABEL.s 0744 301 bytes\n| {a 100 times}{b 100 times}{c 100 times}\n@LABEL.s 0744 301 bytes\n| \
                {a 100 times}{b 100 times}{c 100 times}\n@LABEL.s 0744 301 bytes\n| {a 100 times}{b 100 times}{\
                c 100 times}\nconfig 0644 8 bytes\n| s500\n| n0\ncurrent 0744 0 bytes",
            ),
            seen(
                &["rotation at 100  with lines of [30, 30, 30, 30, 30]"],
                "files of log",
                "@LABEL.s 0744 100 bytes\n| {a 30 times}\n| {a 30 times}\n| {a 30 times}\n|~ aaaaaaa\nconfig 06\
                44 8 bytes\n| s100\n| n0\ncurrent 0744 55 bytes\n| {a 23 times}",
                "@LABEL.s 0744 62 bytes\n| {a 30 times}\n| {a 30 times}\n@LABEL.s 0744 62 bytes\n| {a 30 times}\
                \n| {a 30 times}\nconfig 0644 8 bytes\n| s100\n| n0\ncurrent 0744 31 bytes",
            ),
            seen(
                &["rotation at 200 -l100 with lines of [90, 110, 150]"],
                "files of log",
                "@LABEL.s 0744 200 bytes\n| {a 90 times}\n|~ {a 100 times}{b 9 times}\n@LABEL.s 0744 153 bytes\
                \n| b",
                "@LABEL.s 0744 91 bytes\n| {a 90 times}\n@LABEL.s 0744 111 bytes\n| {a 100 times}{b 10 times}\n\
                @LABEL.s 0744 151 bytes",
            ),
            seen(
                &["rotation at 10 -l20 with lines of [1, 2, 3, 4, 5]"],
                "files of log",
                "@LABEL.s 0744 10 bytes\n| a\n| aa\n| aaa\n|~ a\nconfig 0644 7 bytes\n| s10\n| n0\ncurrent 0744 \
                10 bytes\n| aaa\n| aaaaa",
                "@LABEL.s 0744 5 bytes\n| a\n| aa\n@LABEL.s 0744 9 bytes\n| aaa\n| aaaa\n@LABEL.s 0744 6 bytes\
                \n| aaaaa\nconfig 0644 7 bytes\n| s10\n| n0\ncurrent 0744 0 bytes",
            ),
            seen(
                &["rotation at 1 -l20 with lines of [1, 1]"],
                "files of log",
                "config 0644 6 bytes\n| s1\n| n0\ncurrent 0744 1 bytes\n|",
                "@LABEL.s 0744 1 bytes\n|\nconfig 0644 6 bytes\n| s1\n| n0\ncurrent 0744 0 bytes",
            ),
            seen(
                &["rotation at 1000  with lines of [400, 400, 400]"],
                "files of log",
                "@LABEL.s 0744 401 bytes\n| {a 100 times}{b 100 times}{c 100 times}{d 100 times}\n@LABEL.s 0744 \
                401 bytes\n| {a 100 times}{b 100 times}{c 100 times}{d 100 times}\n@LABEL.s 0744 401 bytes\n| {\
                a 100 times}{b 100 times}{c 100 times}{d 100 times}\nconfig 0644 9 bytes\n| s1000\n| n0\ncurren\
                t 0744 0 bytes",
                "@LABEL.s 0744 802 bytes\n| {a 100 times}{b 100 times}{c 100 times}{d 100 times}\n| {a 100 time\
                s}{b 100 times}{c 100 times}{d 100 times}\nconfig 0644 9 bytes\n| s1000\n| n0\ncurrent 0744 401 \
                bytes\n| {a 100 times}{b 100 times}{c 100 times}{d 100 times}",
            ),
            seen(
                &["rotation at 1001  with lines of [0, 400, 400]"],
                "files of log",
                "@LABEL.s 0744 1 bytes\n|\n@LABEL.s 0744 401 bytes\n| {a 100 times}{b 100 times}{c 100 times}{d \
                100 times}\n@LABEL.s 0744 401 bytes",
                "@LABEL.s 0744 803 bytes\n|\n| {a 100 times}{b 100 times}{c 100 times}{d 100 times}",
            ),
        ],
    },
    Wanted {
        source: "K81",
        reason: "Numbers must be numbers: a line that makes no sense is told, and is as if it were not there.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &[
                    "size s2000 k",
                    "size s2000b",
                    "size s2K",
                    "size s1M",
                    "size s2kb",
                    "size sabc",
                    "size s",
                    "size s 2000",
                    "size s-2000",
                    "size s+2000",
                    "size s0x2000",
                    "size s2000,5",
                ],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 2 of config: log: not a number",
            ),
            seen(
                &["size s2000 k", "size s2000,5"],
                "sizes of log",
                "@LABEL.s 0744 1900 bytes\n@LABEL.s 0744 1900 bytes\n@LABEL.s 0744 1900 bytes\nconfig 0644 11 b\
                ytes\ncurrent 0744 300 bytes",
                "config 0644 11 bytes\ncurrent 0744 6000 bytes",
            ),
            seen(
                &["size s2000b", "size s2000\0"],
                "sizes of log",
                "@LABEL.s 0744 1900 bytes\n@LABEL.s 0744 1900 bytes\n@LABEL.s 0744 1900 bytes\nconfig 0644 10 b\
                ytes\ncurrent 0744 300 bytes",
                "config 0644 10 bytes\ncurrent 0744 6000 bytes",
            ),
            seen(
                &["size s2K"],
                "sizes of log",
                "@LABEL.s 0744 2 bytes\n@LABEL.s 0744 2 bytes\n@LABEL.s 0744 2 bytes\nconfig 0644 7 bytes\ncurr\
                ent 0744 2 bytes",
                "config 0644 7 bytes\ncurrent 0744 200 bytes",
            ),
            seen(
                &["size s1M"],
                "sizes of log",
                "@LABEL.s 0744 1 bytes\n@LABEL.s 0744 1 bytes\n@LABEL.s 0744 1 bytes\nconfig 0644 7 bytes\ncurr\
                ent 0744 1 bytes",
                "config 0644 7 bytes\ncurrent 0744 100 bytes",
            ),
            seen(
                &["size s2kb"],
                "sizes of log",
                "@LABEL.s 0744 2000 bytes\n@LABEL.s 0744 2000 bytes\n@LABEL.s 0744 2000 bytes\nconfig 0644 8 by\
                tes\ncurrent 0744 0 bytes",
                "config 0644 8 bytes\ncurrent 0744 6000 bytes",
            ),
            seen(
                &["size s2000\0"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 2 of config: log: holds a NUL",
            ),
            seen(
                &["size s18446744073709551616", "size s18446744073709553616", "size s99999999999999999999999"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 2 of config: log: number too large",
            ),
            seen(
                &["size s18446744073709553616"],
                "sizes of log",
                "@LABEL.s 0744 1900 bytes\n@LABEL.s 0744 1900 bytes\n@LABEL.s 0744 1900 bytes\nconfig 0644 25 b\
                ytes\ncurrent 0744 300 bytes",
                "config 0644 25 bytes\ncurrent 0744 6000 bytes",
            ),
            seen(
                &[
                    "number of files \"n\\n\"",
                    "number of files \"nabc\\n\"",
                    "number of files \"n2x\\n\"",
                    "number of files \"n 2\\n\"",
                    "number of files \"n-2\\n\"",
                    "number of files \"Nabc\\n\"",
                    "number of files \"N\\n\"",
                    "no age t",
                    "no age tabc",
                    "no age t 1",
                    "no age t-1",
                    "no age t1d",
                    "no age t1s",
                ],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 1 of config: log: not a number",
            ),
            seen(
                &[
                    "number of files \"n\\n\"",
                    "number of files \"nabc\\n\"",
                    "number of files \"n 2\\n\"",
                    "number of files \"n-2\\n\"",
                    "number of files \"n4294967298\\n\"",
                ],
                "lines",
                "line 1\nline 2\nline 3",
                "",
            ),
            seen(
                &["number of files \"n2x\\n\""],
                "lines",
                "",
                "line 4\nline 5\nline 6\nline 7\nline 8\nline 9\nline 10\nline 11",
            ),
            seen(
                &["number of files \"n4294967298\\n\""],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 1 of config: log: number too large",
            ),
            seen(
                &["no age t1d"],
                "files of log",
                "@LABEL.s 0744 5 bytes\n| line\nconfig 0644 4 bytes\n| t1d\ncurrent 0744 0 bytes",
                "config 0644 4 bytes\n| t1d\ncurrent 0744 5 bytes\n| line",
            ),
            seen(
                &["no age t1s"],
                "files of log",
                "@LABEL.s 0744 5 bytes\n| line\nconfig 0644 4 bytes\n| t1s\ncurrent 0744 0 bytes",
                "config 0644 4 bytes\n| t1s\ncurrent 0744 5 bytes\n| line",
            ),
        ],
    },
    Wanted {
        source: "K82",
        reason: "An address must be one: a line that makes no sense is told, and is as if it were not there.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["sending to a port with text behind it", "sending to a port with a blank behind it"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 1 of config: log: not a port number",
            ),
            seen(
                &["sending to a port with text behind it", "sending to a port with a blank behind it"],
                "received",
                "| [7]\n| line 1\n| [1]\n|\n| [7]\n| line 3",
                "",
            ),
            seen(
                &["address u", "address U"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address:\\x20",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address U", "address Uabc", "address U127.0.0", "address U127.0.0.1:", "address U127.0.0.1:abc"],
                "files of log",
                "current 0744 0 bytes",
                "current 0744 18 bytes\n| P line 1\n| P line 2",
            ),
            seen(
                &["address uabc", "address Uabc"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address: abc",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u1"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address: 1",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u127.0.0", "address U127.0.0"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address: 127.0.0",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u127.0.0."],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address: 127.0.0.",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u.0.0.1"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address: .0.0.1",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u127..0.1"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address: 127..0.1",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u-127.0.0.1"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address: -127.0.0.1",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u 127.0.0.1"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address:  127.0.0.1",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address ulocalhost"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan ip address: localhost",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u127.0.0.1:", "address U127.0.0.1:"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan port number:\\x20",
                "| svlogd: warning: unable to use line 2 of config: log: not a port number",
            ),
            seen(
                &["address u127.0.0.1:0"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan port number: 0",
                "| svlogd: warning: unable to use line 2 of config: log: not a port number",
            ),
            seen(
                &["address u127.0.0.1:abc", "address U127.0.0.1:abc"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan port number: abc",
                "| svlogd: warning: unable to use line 2 of config: log: not a port number",
            ),
            seen(
                &["address u127.0.0.1:-1"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan port number: -1",
                "| svlogd: warning: unable to use line 2 of config: log: not a port number",
            ),
            seen(
                &["address u127.0.0.1: 9"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan port number:  9",
                "| svlogd: warning: unable to use line 2 of config: log: not a port number",
            ),
            seen(
                &["address u127.0.0.1::9"],
                "stderr of svlogd",
                "| svlogd: warning: unable to scan port number: :9",
                "| svlogd: warning: unable to use line 2 of config: log: not a port number",
            ),
            seen(
                &[
                    "address u127.0.0.1.1",
                    "address u127.0.0.1x",
                    "address u127.0.0.1 :9",
                    "address u127.0.0.257:9",
                    "address u383.0.0.1:9",
                ],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 2 of config: log: not an ip address",
            ),
            seen(
                &["address u127.0.0.1:65536", "address u127.0.0.1:65545", "address u127.0.0.1:18446744073709551625"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 2 of config: log: not a port number",
            ),
        ],
    },
    Wanted {
        source: "K83",
        reason: "`...` stands only behind what is longer.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["sending lines around the length"],
                "received",
                "| [24]\n| {a 20 times}...",
                "| [21]\n| {a 20 times}",
            ),
            seen(
                &["lines around the length of svlogd -l20"],
                "stderr of svlogd",
                "| P {a 20 times}...",
                "| P {a 20 times}",
            ),
            seen(
                &["lines around the length of svlogd -tl20"],
                "stderr of svlogd",
                "| @LABEL P {a 20 times}...",
                "| @LABEL P {a 20 times}",
            ),
            seen(
                &["lines around the length of svlogd "],
                "stderr of svlogd",
                "| P {a 100 times}{b 100 times}{c 100 times}{d 100 times}{e 100 times}{f 100 times}{g 100 times\
                }{h 100 times}{i 100 times}{j 100 times}...",
                "| P {a 100 times}{b 100 times}{c 100 times}{d 100 times}{e 100 times}{f 100 times}{g 100 times\
                }{h 100 times}{i 100 times}{j 100 times}",
            ),
            seen(
                &["lines around the length of svlogd -l 1400 -b 1500"],
                "stderr of svlogd",
                "| P {a 100 times}{b 100 times}{c 100 times}{d 100 times}{e 100 times}{f 100 times}{g 100 times\
                }{h 100 times}{i 100 times}{j 100 times}{k 100 times}{l 100 times}{m 100 times}{n 100 times}...",
                "| P {a 100 times}{b 100 times}{c 100 times}{d 100 times}{e 100 times}{f 100 times}{g 100 times\
                }{h 100 times}{i 100 times}{j 100 times}{k 100 times}{l 100 times}{m 100 times}{n 100 times}",
            ),
            seen(&["lines around the length of svlogd -l2"], "stderr of svlogd", "| P aa...", "| P aa"),
        ],
    },
    Wanted {
        source: "K84",
        reason: "Standard input is not changed for others who have it open.",
        side: Side::Svlogd,
        differences: &[
            seen(&["flags of the input"], "blocking while it runs", "false", "true"),
            seen(&["flags of the input"], "blocking behind it", "false", "true"),
        ],
    },
    Wanted {
        source: "K87",
        reason: "Nothing is closed that was not opened.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &[
                    "refusing a directory that is a plain file",
                    "refusing a lock that is a directory",
                    "refusing the same directory twice",
                    "refusing a directory that is locked on HUP",
                ],
                "stderr of svlogd",
                "| svlogd: info: close:\\x20",
                "",
            ),
            seen(
                &["refusing a directory that is a plain file", "refusing a lock that is a directory"],
                "stderr of svlogd #2",
                "| svlogd: info: close:\\x20",
                "",
            ),
        ],
    },
    Wanted {
        source: "K87",
        reason: "Nothing is closed that was not opened.",
        side: Side::NextSvlogd,
        differences: &[seen(
            &["refusing a directory that is locked"],
            "stderr of svlogd",
            "| svlogd: info: close:\\x20",
            "",
        )],
    },
    Wanted {
        source: "K88",
        reason: "A pattern cannot match what an earlier line left behind.",
        side: Side::Svlogd,
        differences: &[seen(
            &["a pattern that ends in a plus after a longer line"],
            "files of log",
            "current 0744 5 bytes\n| ab\n| a",
            "current 0744 3 bytes\n| ab",
        )],
    },
    Wanted {
        source: "F38",
        reason: "No link is followed for current; nothing is closed that was not opened.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["refusing a current that is a loop"],
                "stderr of svlogd",
                "| svlogd: info: close: other\n| svlogd: warning: unable to stat current: other: symbolic link \
                loop",
                "| svlogd: warning: unable to open current: other: symbolic link loop",
            ),
            seen(
                &["refusing a current that is a loop"],
                "stderr of svlogd #2",
                "| svlogd: info: close: other\n| svlogd: warning: unable to stat current: other: symbolic link \
                loop",
                "| svlogd: warning: unable to open current: other: symbolic link loop",
            ),
        ],
    },
    Wanted {
        source: "README.md",
        reason: "The version is our own.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["version of svlogd"],
                "svlogd -V",
                "stderr: $Id: 5e55a90e0a1b35ec47fed3021453c50675ea1117 $",
                "stderr: pipit VERSION",
            ),
            seen(
                &["version of svlogd"],
                "svlogd -tV log",
                "stderr: $Id: 5e55a90e0a1b35ec47fed3021453c50675ea1117 $",
                "stderr: pipit VERSION",
            ),
            seen(
                &["version of svlogd"],
                "svlogd -V -x",
                "stderr: $Id: 5e55a90e0a1b35ec47fed3021453c50675ea1117 $",
                "stderr: pipit VERSION",
            ),
        ],
    },
    Wanted {
        source: "svlogd(8)",
        reason: "At most 32 directories can be given.",
        side: Side::Svlogd,
        differences: &[
            seen(&["forty log directories"], "end of svlogd", "exit 0", "exit 111"),
            seen(&["forty log directories"], "stderr of svlogd", "", "| svlogd: fatal: too many log directories."),
            seen(&["forty log directories"], "directories with the line", "40", "0"),
        ],
    },
    Wanted {
        source: "svlogd(8), Processor",
        reason: "The processor leads a process group, so that all of it can be ended.",
        side: Side::Svlogd,
        differences: &[seen(&["what a processor is given"], "report", "", "leads a group")],
    },
    Wanted {
        source: "svlogd.md 4",
        reason: "Of two of a kind the last one counts; U leaves nothing behind.",
        side: Side::Svlogd,
        differences: &[
            seen(&["sending u behind U"], "current", "", "| line 1\n|\n| line 3"),
            seen(&["sending u behind U"], "sizes of log", "current 0744 0 bytes", "current 0744 15 bytes"),
        ],
    },
    Wanted {
        source: "svlogd.md 4",
        reason: "A line that nobody knows is told.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["size  s2000", "size S2000", "config with bytes that are no text"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 2 of config: log: unknown directive",
            ),
            seen(
                &["prefix \" pprefix\""],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 1 of config: log: unknown directive",
            ),
            seen(
                &["config with a line that nobody knows"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 1 of config: log: unknown directive\n| svlogd: warning: \
                unable to use line 3 of config: log: unknown directive",
            ),
            seen(
                &["config with blanks in front"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 1 of config: log: unknown directive\n| svlogd: warning: \
                unable to use line 2 of config: log: unknown directive",
            ),
        ],
    },
    Wanted {
        source: "svlogd.md 4",
        reason: "A line with a NUL makes no sense: it is told, and is as if it were not there.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["short prefix \"p\\0\"", "short prefix \"pP\\0P \""],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 1 of config: log: holds a NUL",
            ),
            seen(&["short prefix \"pP\\0P \""], "current", "| Pline", "| line"),
            seen(
                &["config with NULs"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 1 of config: log: holds a NUL\n| svlogd: warning: unable \
                to use line 2 of config: log: holds a NUL",
            ),
            seen(
                &["a pattern with NULs"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: unable to use line 2 of config: log: holds a NUL",
            ),
            seen(&["a pattern with NULs"], "files of log", "current 0744 2 bytes\n| a", "current 0744 0 bytes"),
        ],
    },
    Wanted {
        source: "svlogd.md 6",
        reason: "A closed standard input is an empty one.",
        side: Side::Svlogd,
        differences: &[seen(
            &["an input that is closed"],
            "exec \"$0\" \"$1\" <&-",
            "stderr: svlogd: warning: unable to read standard input: is a directory",
            "",
        )],
    },
    Wanted {
        source: "svlogd.md 4",
        reason: "A carriage return at the end of a line is left out, which is told once.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["sending with a carriage return"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: carriage return left out of line 1 of config: log",
            ),
            seen(
                &["size s2000\r"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: carriage return left out of line 2 of config: log",
            ),
            seen(
                &["short prefix \"pP\\r\""],
                "stderr of svlogd",
                "",
                "| svlogd: warning: carriage return left out of line 1 of config: log",
            ),
            seen(&["short prefix \"pP\\r\""], "current", "| P\\x0dline", "| Pline"),
            seen(
                &["config with carriage returns"],
                "stderr of svlogd",
                "",
                "| svlogd: warning: carriage return left out of line 1 of config: log",
            ),
            seen(
                &["config with carriage returns"],
                "files of log",
                "current 0744 18 bytes\n| P\\x0dline 1\n| P\\x0dline 2",
                "current 0744 16 bytes\n| Pline 1\n| Pline 2",
            ),
        ],
    },
    Wanted {
        source: "F41",
        reason: "A line that another has torn ends before the next one.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["opening a current that was closed within a line"],
                "files of log #2",
                "current 0644 15 bytes\n| old linew line",
                "current 0644 16 bytes\n| old li\n| new line",
            ),
            seen(
                &["opening a current that was closed within a line"],
                "files of log #3",
                "current 0744 15 bytes\n| old linew line",
                "current 0744 16 bytes\n| old li\n| new line",
            ),
        ],
    },
    Wanted {
        source: "K78",
        reason: "What is too much is removed at the start.",
        side: Side::Svlogd,
        differences: &[seen(
            &["opening old files and a current that was not closed"],
            "stderr of svlogd",
            "",
            "| svlogd: info: delete: log/@400000005f5e100a{0 8 times}.s\n| svlogd: info: delete: log/@400000005f5e100a000001f4.u",
        )],
    },
    Wanted {
        source: "svlogd.md 12",
        reason: "A config that could not be read is not said to be read.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["refusing a config that is a directory"],
                "stderr of svlogd",
                "| svlogd: info: read: other/config",
                "",
            ),
            seen(
                &["refusing a config that is a directory"],
                "stderr of svlogd #2",
                "| svlogd: info: read: other/config",
                "",
            ),
            seen(&["refusing a config that is a loop"], "stderr of svlogd", "| svlogd: info: read: other/config", ""),
            seen(
                &["refusing a config that is a loop"],
                "stderr of svlogd #2",
                "| svlogd: info: read: other/config",
                "",
            ),
        ],
    },
    Wanted {
        source: "svlogd.md 3",
        reason: "A lock need not be writable.",
        side: Side::Svlogd,
        differences: &[
            seen(
                &["refusing what another user must not do"],
                "stderr of svlogd",
                "| svlogd: warning: unable to lock directory: lock: access denied",
                "",
            ),
            seen(
                &["refusing what another user must not do"],
                "files of lock",
                "",
                "current 0744 10 bytes\n| text line",
            ),
        ],
    },
    Wanted {
        source: "common.md 4",
        reason: "What is no number is wrong usage.",
        side: Side::Svlogd,
        differences: &[
            seen(&["lengths and buffers that are no numbers"], "end of svlogd", "exit 0", "exit 111"),
            seen(
                &["lengths and buffers that are no numbers"],
                "stderr of svlogd",
                "",
                "| usage: PROGRAMS/svlogd [-ttv] [-r c] [-R abc] [-l len] [-b buflen] dir ...\n|",
            ),
            seen(&["lengths and buffers that are no numbers"], "current of b-text", "| line", ""),
            seen(&["lengths and buffers that are no numbers"], "end of svlogd #2", "exit 0", "exit 111"),
            seen(
                &["lengths and buffers that are no numbers"],
                "stderr of svlogd #2",
                "",
                "| usage: PROGRAMS/svlogd [-ttv] [-r c] [-R abc] [-l len] [-b buflen] dir ...\n|",
            ),
            seen(&["lengths and buffers that are no numbers"], "current of b-rest", "| line", ""),
            seen(&["lengths and buffers that are no numbers"], "end of svlogd #3", "exit 0", "exit 111"),
            seen(
                &["lengths and buffers that are no numbers"],
                "stderr of svlogd #3",
                "",
                "| usage: PROGRAMS/svlogd [-ttv] [-r c] [-R abc] [-l len] [-b buflen] dir ...\n|",
            ),
            seen(&["lengths and buffers that are no numbers"], "current of b-minus", "| line", ""),
            seen(&["lengths and buffers that are no numbers"], "end of svlogd #4", "exit 0", "exit 111"),
            seen(
                &["lengths and buffers that are no numbers"],
                "stderr of svlogd #4",
                "",
                "| usage: PROGRAMS/svlogd [-ttv] [-r c] [-R abc] [-l len] [-b buflen] dir ...\n|",
            ),
            seen(&["lengths and buffers that are no numbers"], "current of l-text", "| line", ""),
            seen(&["lengths and buffers that are no numbers"], "end of svlogd #5", "exit 0", "exit 111"),
            seen(
                &["lengths and buffers that are no numbers"],
                "stderr of svlogd #5",
                "",
                "| usage: PROGRAMS/svlogd [-ttv] [-r c] [-R abc] [-l len] [-b buflen] dir ...\n|",
            ),
            seen(&["lengths and buffers that are no numbers"], "current of l-rest", "| line", ""),
        ],
    },
    Wanted {
        source: "K5",
        reason: "No signal is blocked for a processor.",
        side: Side::Svlogd,
        differences: &[seen(
            &["what a processor is given"],
            "blocked signals",
            "SigBlk:\t0000000000010000",
            "SigBlk:\t0000000000000000",
        )],
    },
    Wanted {
        source: "K78",
        reason: "What was processed counts among the old files at once.",
        side: Side::Svlogd,
        differences: &[
            seen(&["a processor and few files"], "files of log", "@LABEL.s 0744 7 bytes\n| line 1", ""),
            seen(&["a processor and few files"], "files of log #2", "@LABEL.s 0744 7 bytes\n| line 2", ""),
            seen(&["a processor and few files"], "files of log #3", "@LABEL.s 0744 7 bytes\n| line 3", ""),
        ],
    },
];

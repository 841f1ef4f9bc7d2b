use std::path::Path;
use std::process::Command;

use proptest::prelude::*;

use super::*;

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

fn time(text: &str) -> TimeOfDay {
    TimeOfDay::parse(text.as_bytes()).unwrap()
}

fn rule(text: &str) -> Zone<'static> {
    Zone::from_rule(text.as_bytes()).unwrap()
}

/// Seconds since 1970 of a time in UTC, as `date` understands it.
fn moment(text: &str) -> i64 {
    let output = Command::new("date").args(["-u", "-d", text, "+%s"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn times_of_day_are_read_and_written() {
    for (text, shown) in
        [("0:00", "00:00"), ("00:00", "00:00"), ("9:05", "09:05"), ("09:05", "09:05"), ("23:59", "23:59")]
    {
        assert_eq!(time(text).to_text().as_slice(), shown.as_bytes(), "{text}");
    }
    let wrong = [
        "",
        ":",
        "1",
        "12",
        "1:2",
        ":30",
        "1:",
        "24:00",
        "25:00",
        "12:60",
        "12:99",
        "009:05",
        "012:05",
        "12:5",
        "12:005",
        "-1:00",
        "+1:00",
        "1:-1",
        "1:+1",
        " 1:00",
        "1:00 ",
        "1:0x",
        "12.30",
        "1:00:00",
        "12:30pm",
        "99999999999999999999:00",
    ];
    for text in wrong {
        assert_eq!(TimeOfDay::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn without_a_zone_local_time_is_utc() {
    assert_eq!(Zone::UTC.offset_at(1_800_000_000), 0);
    assert_eq!(Zone::UTC.time_of_day(86_399), time("23:59"));
    assert_eq!(Zone::UTC.time_of_day(0), time("0:00"));
}

#[test]
fn the_next_time_is_today_or_tomorrow() {
    let noon = moment("2026-11-26 12:00:00");
    for (asked, seconds) in [("12:01", 60), ("13:00", 3600), ("12:00", 86_400), ("11:59", 86_340), ("0:00", 43_200)] {
        assert_eq!(Zone::UTC.next(time(asked), noon), Some(noon + seconds), "{asked}");
    }
    // Within the minute it is over.
    assert_eq!(Zone::UTC.next(time("12:00"), noon + 1), Some(noon + 86_400));
    assert_eq!(Zone::UTC.next(time("12:01"), noon + 59), Some(noon + 60));
}

/// Where a clock begins that nobody has set.
#[test]
fn the_first_day_is_one_like_others() {
    for (zone, offset) in [(Zone::UTC, 0), (rule("AAA-5:30"), 19_800), (rule("AAA12"), -43_200)] {
        for asked in ["0:00", "0:10", "5:29", "12:00", "12:01", "23:59"] {
            let next = zone.next(time(asked), 30).unwrap();
            assert!(next > 30 && next <= 30 + 86_400, "{asked} {next}");
            assert_eq!((zone.time_of_day(next), (next + offset + 86_400) % 60), (time(asked), 0), "{asked}");
        }
    }
    assert_eq!(Zone::UTC.next(time("0:10"), 0), Some(600));
}

#[test]
fn a_time_that_is_left_out_is_when_the_clock_is_put_forward() {
    let zone = rule(BERLIN);
    let forward = moment("2027-03-28 01:00:00");
    for asked in ["2:01", "2:30", "2:59", "3:00"] {
        assert_eq!(zone.next(time(asked), forward - 1800), Some(forward), "{asked}");
    }
    assert_eq!(zone.next(time("1:59"), forward - 1800), Some(forward - 60));
    assert_eq!(zone.next(time("3:01"), forward - 1800), Some(forward + 60));
    // Then it is over for that day.
    assert_eq!(zone.next(time("2:30"), forward), Some(forward + 23 * 3600 + 1800));
}

#[test]
fn of_a_time_that_comes_twice_the_next_one_counts() {
    let zone = rule(BERLIN);
    let back = moment("2026-10-25 01:00:00");
    assert_eq!(zone.next(time("2:30"), back - 2 * 3600), Some(back - 1800));
    assert_eq!(zone.next(time("2:30"), back - 1800), Some(back + 1800));
    assert_eq!(zone.next(time("2:30"), back + 1800), Some(back + 1800 + 24 * 3600));
}

/// Samoa left out the 30th of December 2011.
#[test]
fn a_whole_day_may_be_left_out() {
    let Ok(file) = std::fs::read("/usr/share/zoneinfo/Pacific/Apia") else { return skip("no zone database") };
    let zone = Zone::from_file(&file).unwrap();
    let jump = moment("2011-12-30 10:00:00");
    assert_eq!(zone.next(time("15:00"), jump - 3600), Some(jump));
    assert_eq!(zone.next(time("15:00"), jump), Some(jump + 15 * 3600));
}

#[test]
fn rules_are_read_whole_or_not_at_all() {
    let right = [
        "UTC0",
        "<+03>-3",
        "EST5EDT",
        "EST5EDT4,M3.2.0,M11.1.0",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "NZST-12NZDT,M9.5.0,M4.1.0/3",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "XXX3EDT4,0/0,J365/23",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "ABC-5:30",
        "ABC-5:30:15",
        "ABC+24",
        "EET-2EEST,M4.5.5/0,M10.5.4/24",
        "AAA3BBB,J1/-167,J365/167:59:59",
    ];
    for text in right {
        assert!(Rule::parse(text.as_bytes()).is_some(), "{text}");
    }
    let wrong = [
        "",
        "UTC",
        "U0",
        "UT0",
        "<+3>-3",
        "<+03-3",
        "ABC25",
        "ABC5:60",
        "ABC5:5:60",
        "ABC5 ",
        "Europe/Berlin",
        "5",
        "ABC-",
        "ABC--5",
        "ABC5DEF,M3.2.0",
        "ABC5DEF,M3.2.0,",
        "ABC5DEF,M13.2.0,M11.1.0",
        "ABC5DEF,M0.2.0,M11.1.0",
        "ABC5DEF,M3.6.0,M11.1.0",
        "ABC5DEF,M3.0.0,M11.1.0",
        "ABC5DEF,M3.2.7,M11.1.0",
        "ABC5DEF,J0,J1",
        "ABC5DEF,J366,J1",
        "ABC5DEF,366,1",
        "ABC5DEF,1/168,2",
        "ABC5DEF,1,2,3",
        "ABC5DEFM3.2.0,M11.1.0",
        "ABC99999999999999999999",
    ];
    for text in wrong {
        assert_eq!(Rule::parse(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_summer_time_without_dates_has_those_of_america() {
    assert_eq!(rule("EST5EDT"), rule("EST5EDT,M3.2.0,M11.1.0"));
}

#[test]
fn all_year_summer_time_is_one() {
    let zone = rule("EST5EDT,0/0,J365/25");
    for text in [
        "2026-12-31 23:59:59",
        "2027-01-01 04:59:59",
        "2027-01-01 05:00:00",
        "2027-07-01 00:00:00",
        "2028-12-31 12:00:00",
    ] {
        assert_eq!(zone.offset_at(moment(text)), -4 * 3600, "{text}");
    }
}

#[test]
fn names_of_files_lead_nowhere_else() {
    let right = [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        (":/etc/localtime", "/etc/localtime"),
        ("UTC", "UTC"),
    ];
    for (value, name) in right {
        assert_eq!(file_name(value.as_bytes()), Some(name.as_bytes()));
    }
    for value in ["", ":", "..", "../../etc/shadow", ":Europe/../../x", "/usr/share/zoneinfo/../x"] {
        assert_eq!(file_name(value.as_bytes()), None, "{value}");
    }
}

fn skip(reason: &str) {
    eprintln!("SKIPPED: local_time: {reason}");
}

/// What `date` says of each moment: seconds ahead of UTC.
fn offsets_of_date(zone: &str, moments: &[i64]) -> Vec<i32> {
    let directory = tempfile_of(moments);
    let output = Command::new("date").env("TZ", zone).arg("-f").arg(&directory).arg("+%::z").output().unwrap();
    std::fs::remove_file(directory).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let (sign, rest) = line.split_at(1);
            let seconds = rest.split(':').fold(0, |sum, part| sum * 60 + part.parse::<i32>().unwrap());
            if sign == "-" { -seconds } else { seconds }
        })
        .collect()
}

fn tempfile_of(moments: &[i64]) -> std::path::PathBuf {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("pipit-moments-{}-{number}", std::process::id()));
    std::fs::write(&path, moments.iter().map(|moment| format!("@{moment}\n")).collect::<String>()).unwrap();
    path
}

/// From 1970 on every 11 days and some hours, and around each change that we see.
fn moments(zone: &Zone<'_>, years: i64) -> Vec<i64> {
    let mut moments: Vec<i64> = (0..years * 33).map(|step| step * 957_603).collect();
    let changes: Vec<i64> = moments
        .windows(2)
        .filter_map(|pair| {
            let [mut low, mut high] = *pair else { return None };
            if zone.offset_at(low) == zone.offset_at(high) {
                return None;
            }
            while high - low > 1 {
                let middle = i64::midpoint(low, high);
                if zone.offset_at(low) == zone.offset_at(middle) { low = middle } else { high = middle }
            }
            Some(high)
        })
        .collect();
    moments.extend(changes.iter().flat_map(|change| [change - 1, *change]));
    moments
}

#[test]
fn files_say_what_date_says() {
    if !Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
        return skip("no zone database");
    }
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Australia/Sydney",
        "Asia/Kathmandu",
        "Asia/Gaza",
        "Africa/Casablanca",
        "Africa/Monrovia",
        "America/Nuuk",
        "Europe/Dublin",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Asia/Tehran",
        "UTC",
        "Antarctica/Troll",
        "America/Santiago",
    ];
    for name in zones {
        let file = std::fs::read(Path::new("/usr/share/zoneinfo").join(name)).unwrap();
        assert!(file.len() <= crate::limits::ZONE_BYTES, "{name}");
        let zone = Zone::from_file(&file).unwrap();
        let moments = moments(&zone, 90);
        for (moment, offset) in moments.iter().zip(offsets_of_date(name, &moments)) {
            assert_eq!(zone.offset_at(*moment), offset, "{name} at {moment}");
        }
    }
}

#[test]
fn every_file_of_the_database_is_understood() {
    let Ok(list) = std::fs::read_to_string("/usr/share/zoneinfo/tzdata.zi") else { return skip("no zone database") };
    let mut count = 0;
    for name in list.lines().filter_map(|line| line.strip_prefix("Z ")).filter_map(|rest| rest.split(' ').next()) {
        let file = std::fs::read(Path::new("/usr/share/zoneinfo").join(name)).unwrap();
        let zone = Zone::from_file(&file).unwrap();
        assert!(zone.rule.is_some(), "{name}");
        count += 1;
    }
    assert!(count > 300, "{count}");
}

#[test]
fn rules_say_what_date_says() {
    let rules = [
        BERLIN,
        "EST5EDT,M3.2.0,M11.1.0",
        "NZST-12NZDT,M9.5.0,M4.1.0/3",
        "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
        "IST-2IDT,M3.4.4/26,M10.5.0",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "ABC-5:30",
        "AAA5BBB,J60,J300",
        "AAA5BBB,59,299",
        "AAA5BBB4:30,J59/1,J61/23",
        "UTC0",
    ];
    for text in rules {
        let zone = rule(text);
        let moments = moments(&zone, 90);
        for (moment, offset) in moments.iter().zip(offsets_of_date(text, &moments)) {
            assert_eq!(zone.offset_at(*moment), offset, "{text} at {moment}");
        }
    }
}

/// The times of 32 bits say the same as far as they reach; old files have nothing else.
#[test]
fn files_of_version_1_are_read() {
    let file = file_of(&[(1000, 1), (2000, 0)], &[3600, 7200]);
    let zone = Zone::from_file(&file).unwrap();
    assert_eq!(
        [0, 999, 1000, 1999, 2000, 9999].map(|moment| zone.offset_at(moment)),
        [3600, 3600, 7200, 7200, 3600, 3600]
    );
    for end in 0..file.len() {
        assert_eq!(Zone::from_file(&file[..end]), None, "{end}");
    }
}

/// A file of the old version: times, and the index of an offset for each.
fn file_of(changes: &[(i32, u8)], offsets: &[i32]) -> Vec<u8> {
    let mut file = b"TZif\0".to_vec();
    file.extend([0; 15]);
    for count in [0, 0, 0, changes.len(), offsets.len(), 1] {
        file.extend(u32::try_from(count).unwrap().to_be_bytes());
    }
    changes.iter().for_each(|(time, _)| file.extend(time.to_be_bytes()));
    file.extend(changes.iter().map(|(_, index)| index));
    for offset in offsets {
        file.extend(offset.to_be_bytes());
        file.extend([0, 0]);
    }
    file.push(0);
    file
}

/// A clock that is put back every twenty minutes, by as much, for longer than anybody looks.
#[test]
fn a_time_that_never_comes_is_not_waited_for() {
    let step = 20 * 60;
    let offsets: Vec<i32> = (0..=250).map(|index| -step * index).collect();
    let changes: Vec<(i32, u8)> = (1..=250).map(|index| (step * i32::from(index), index)).collect();
    let file = file_of(&changes, &offsets);
    let zone = Zone::from_file(&file).unwrap();
    assert_eq!(zone.next(time("0:10"), 0), Some(600));
    assert_eq!(zone.next(time("0:10"), 600), Some(600 + 1200));
    assert_eq!(zone.next(time("0:25"), 0), None);
}

proptest! {
    #[test]
    fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..400), moment in any::<i64>(), hour in 0_u16..24, minute in 0_u16..60) {
        let time = TimeOfDay(hour * 60 + minute);
        for zone in [Zone::from_rule(&bytes), Zone::from_file(&bytes)].into_iter().flatten() {
            let _ = (zone.offset_at(moment), zone.time_of_day(moment), zone.next(time, moment));
        }
        let _ = (TimeOfDay::parse(&bytes), file_name(&bytes));
    }

    #[test]
    fn no_damaged_file_breaks_it(
        damage in prop::collection::vec((0_usize..2400, any::<u8>()), 1..20), end in 0_usize..2400, moment in any::<i64>(),
        hour in 0_u16..24, minute in 0_u16..60,
    ) {
        let mut file = std::fs::read("/usr/share/zoneinfo/Europe/Berlin").unwrap_or_default();
        for (place, byte) in damage {
            if let Some(old) = file.get_mut(place) {
                *old = byte;
            }
        }
        for bytes in [&file[..], &file[..end.min(file.len())]] {
            if let Some(zone) = Zone::from_file(bytes) {
                let _ = (zone.time_of_day(moment), zone.next(TimeOfDay(hour * 60 + minute), moment));
            }
        }
    }

    #[test]
    fn no_rule_breaks_it(text in "[A-C]{3}[+-]?[0-9]{1,2}[A-C]{3}(,M[0-9]{1,2}\\.[0-9]\\.[0-9](/-?[0-9]{1,3})?){2}", moment in any::<i64>(), hour in 0_u16..24) {
        if let Some(zone) = Zone::from_rule(text.as_bytes()) {
            let _ = (zone.time_of_day(moment), zone.next(TimeOfDay(hour * 60 + 30), moment));
        }
    }

    /// Whatever the zone of today, the time comes within two days, and then the clock shows it or something later.
    #[test]
    fn the_next_time_is_later_and_shown(now in 1_700_000_000_i64..4_000_000_000, hour in 0_u16..24, minute in 0_u16..60) {
        let asked = TimeOfDay(hour * 60 + minute);
        for zone in [Zone::UTC, rule(BERLIN), rule("LHST-10:30LHDT-11,M10.1.0,M4.1.0"), rule("NST3:30NDT,M3.2.0,M11.1.0")] {
            let next = zone.next(asked, now).unwrap();
            prop_assert!(next > now && next <= now + 26 * 3600);
            let shown = zone.time_of_day(next);
            let was_put_forward = zone.offset_at(next) > zone.offset_at(next - 60);
            prop_assert!(shown == asked || was_put_forward, "{shown:?} {asked:?} {now}");
            // Nothing earlier shows it.
            let mut earlier = next - 60;
            while earlier > now {
                prop_assert!(zone.time_of_day(earlier) != asked);
                earlier -= 60;
            }
        }
    }
}

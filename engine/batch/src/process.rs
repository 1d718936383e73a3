//! Whether the process that began something is still there.
//!
//! Only the system that it runs on can say so: who asks from another machine goes by signs of life.

use envoi::lake::lake::checksum;

/// This process, by a name that no other has had since the machine started; `None` where the system does not tell.
pub(crate) fn own() -> Option<String> {
    let id = std::process::id();
    Some(format!("{} {id} {}", system()?, started(id)?))
}

/// Whether a process of that name is there; `None` if it is of another system.
pub(crate) fn lives(name: &str) -> Option<bool> {
    let mut words = name.split(' ');
    let (its_system, id, its_start) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    // The number of a process that ended may be another's by now.
    (its_system == system()?).then(|| started(id).is_some_and(|start| start == its_start))
}

/// A start of a machine, and what numbers of processes mean in it: containers have their own.
fn system() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbers = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let hash = checksum(format!("{} {}", boot.trim(), numbers.display()).as_bytes());
    hash.get(..16).map(str::to_owned)
}

/// When a process began, in ticks since the machine did.
fn started(id: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program, in parentheses, may hold blanks and more parentheses.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    // One that has ended and was not asked after is there no more.
    let dead = matches!(fields.next()?, "Z" | "X");
    (!dead).then(|| fields.nth(18).map(str::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_others_do_not() {
        let Some(own) = own() else { return };
        assert_eq!(lives(&own), Some(true));
        assert_eq!(lives(&format!("{own}0")), Some(false));
        let (system, _) = own.split_once(' ').unwrap();
        assert_eq!(lives(&format!("{system} 999999999 1")), Some(false));
        assert_eq!(lives(&own.replace(system, "other")), None);
        assert_eq!(lives("junk"), None);
    }
}

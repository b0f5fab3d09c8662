//! The order in which AWS's messages list names: that of the Java hash table which AWS collects them in.

use std::collections::HashSet;

/// Names in the order of a table that was made for all of them.
pub(super) fn sized<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    distinct(each_once(names))
}

/// As [`sized`], for names of which none comes twice.
pub(super) fn distinct(names: Vec<&str>) -> Vec<&str> {
    let size = names.len().next_power_of_two();
    ordered(names, size)
}

/// Names in the order of a table that grew.
pub(super) fn grown<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    ordered(each_once(names), 16)
}

fn each_once<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    names.into_iter().filter(|name| seen.insert(*name)).collect()
}

fn ordered(mut names: Vec<&str>, mut size: usize) -> Vec<&str> {
    // A table doubles when more than three quarters of it are taken.
    while names.len() * 4 > size * 3 {
        size *= 2;
    }
    names.sort_by_cached_key(|name| bucket(name, size));
    names
}

/// `String.hashCode()`, its upper half folded into the lower.
fn bucket(name: &str, size: usize) -> usize {
    let hash = name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    (hash ^ (hash >> 16)) as usize & (size - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_aws_was_seen_to_list_them() {
        assert_eq!(sized(["PK", "h", "a", "unused"]), ["h", "a", "unused", "PK"]);
        assert_eq!(sized(["PK", "a", "b", "c", "d", "u1"]), ["a", "b", "PK", "c", "d", "u1"]);
        assert_eq!(sized(["h", "a", "zz"]), ["h", "zz", "a"]);
        assert_eq!(sized([]), [""; 0]);
        assert_eq!(grown(["pk", "sk", "gpk", "gsk", "pk"]), ["gpk", "sk", "pk", "gsk"]);
        assert_eq!(
            grown(["orderId", "customerId", "createdAt", "status"]),
            ["createdAt", "orderId", "customerId", "status"]
        );
    }

    #[test]
    fn hundreds_of_thousands_of_names_are_ordered_at_once() {
        let names: Vec<String> = (0..400_000).map(|n| format!("attribute-{n}")).collect();
        let twice = names.iter().chain(&names).map(String::as_str);
        assert_eq!(grown(twice.clone()).len(), names.len());
        assert_eq!(sized(twice), distinct(names.iter().map(String::as_str).collect()));
    }
}

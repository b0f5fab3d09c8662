//! Patches: `[{op, path, value}]`, with paths as JSON pointers.

use serde::Deserialize;

use crate::GatewayError;
use crate::limits::MAX_PATCH_OPERATIONS;

/// One operation of a patch.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Patch {
    #[serde(default)]
    op: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    value: Option<String>,
}

/// What a patch does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Adds to a list or map, or sets.
    Add,
    /// Sets.
    Replace,
    /// Removes.
    Remove,
}

impl Patch {
    /// What it does; `move`, `copy` and `test` change nothing here and are refused.
    pub(crate) fn op(&self) -> Result<Op, GatewayError> {
        match self.op.as_str() {
            "add" => Ok(Op::Add),
            "replace" => Ok(Op::Replace),
            "remove" => Ok(Op::Remove),
            other => Err(GatewayError::invalid(format!(
                "Invalid patch operation specified. Must be 'add'|'remove'|'replace', not '{other}'"
            ))),
        }
    }

    /// The path's parts, `~1` and `~0` undone.
    pub(crate) fn parts(&self) -> Vec<String> {
        self.raw_parts().into_iter().map(unescape).collect()
    }

    /// The path's parts as they were written.
    pub(crate) fn raw_parts(&self) -> Vec<&str> {
        self.path.strip_prefix('/').unwrap_or(&self.path).split('/').collect()
    }

    /// The new value; none when it is removed.
    pub(crate) fn text(&self) -> Result<Option<String>, GatewayError> {
        Ok(if self.op()? == Op::Remove { None } else { self.value.clone() })
    }

    /// The new value, which must be there.
    pub(crate) fn required(&self) -> Result<String, GatewayError> {
        self.text()?.ok_or_else(|| {
            GatewayError::invalid(format!("Invalid patch value  'null' specified for path '{}'", self.path))
        })
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Result<bool, GatewayError> {
        match self.required()?.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.bad_value()),
        }
    }

    /// A number.
    pub(crate) fn number<T: std::str::FromStr>(&self) -> Result<T, GatewayError> {
        self.required()?.parse().map_err(|_| self.bad_value())
    }

    /// Puts or removes an entry of a map.
    pub(crate) fn entry<V>(
        &self,
        map: &mut std::collections::BTreeMap<String, V>,
        key: &str,
        value: impl FnOnce(String) -> V,
    ) -> Result<(), GatewayError> {
        match self.text()? {
            Some(text) => map.insert(key.to_owned(), value(text)),
            None => map.remove(key),
        };
        Ok(())
    }

    /// Adds to or removes from a list the item that the path or the value names.
    pub(crate) fn item(&self, list: &mut Vec<String>, named: Option<&str>) -> Result<(), GatewayError> {
        let item = match (named, &self.value) {
            (Some(item), _) => item.to_owned(),
            (None, Some(item)) => item.clone(),
            (None, None) => return Err(self.bad_value()),
        };
        list.retain(|known| *known != item);
        match (self.op()?, named, &self.value) {
            (Op::Remove, ..) => {}
            (Op::Replace, Some(_), Some(new)) => list.push(new.clone()),
            _ => list.push(item),
        }
        Ok(())
    }

    /// The refusal of a value.
    pub(crate) fn bad_value(&self) -> GatewayError {
        let value = self.value.as_deref().unwrap_or("null");
        GatewayError::invalid(format!("Invalid value '{value}' specified for path '{}'", self.path))
    }

    /// The refusal of a path.
    pub(crate) fn bad_path(&self, possible: &'static str) -> GatewayError {
        GatewayError::InvalidPatch { path: self.path.clone(), op: self.op.clone(), possible }
    }
}

/// Refuses patches that are too long.
pub(crate) fn bounded(patches: &[Patch]) -> Result<(), GatewayError> {
    if patches.len() > MAX_PATCH_OPERATIONS {
        return Err(GatewayError::invalid("Too many patch operations"));
    }
    Ok(())
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(op: &str, path: &str, value: Option<&str>) -> Patch {
        Patch { op: op.to_owned(), path: path.to_owned(), value: value.map(str::to_owned) }
    }

    #[test]
    fn a_path_is_a_json_pointer() {
        assert_eq!(
            patch("add", "/binaryMediaTypes/image~1png", None).parts(),
            ["binaryMediaTypes", "image/png"]
        );
        assert_eq!(patch("add", "/a~01", None).parts(), ["a~1"]);
    }

    #[test]
    fn lists_gain_and_lose_items() {
        let mut list = vec!["a".to_owned()];
        patch("add", "/x/b", None).item(&mut list, Some("b")).unwrap();
        patch("add", "/x", Some("c")).item(&mut list, None).unwrap();
        patch("remove", "/x/a", None).item(&mut list, Some("a")).unwrap();
        patch("replace", "/x/b", Some("d")).item(&mut list, Some("b")).unwrap();
        assert_eq!(list, ["c", "d"]);
    }

    #[test]
    fn other_operations_are_refused() {
        assert!(patch("move", "/a", None).op().is_err());
        assert!(patch("replace", "/a", Some("maybe")).boolean().is_err());
    }
}

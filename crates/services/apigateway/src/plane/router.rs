//! From a path to a resource: literal parts before variables, variables before the greedy rest.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;

/// The resources of a deployment as a tree.
#[derive(Debug, Default)]
pub(super) struct Router {
    literals: HashMap<String, Router>,
    variable: Option<(String, Box<Router>)>,
    greedy: Option<(String, usize)>,
    here: Option<usize>,
}

/// A resource, and the path's variables.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The resource's place among those that were added.
    pub(super) resource: usize,
    /// Names and decoded values.
    pub(super) parameters: Vec<(String, String)>,
}

impl Router {
    /// Adds a resource by its path, such as `/notes/{id}` or `/{proxy+}`.
    pub(super) fn add(&mut self, path: &str, resource: usize) {
        let mut node = self;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let variable = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            node = match variable {
                None => node.literals.entry(part.to_owned()).or_default(),
                Some(name) => match name.strip_suffix('+') {
                    Some(name) => {
                        node.greedy = Some((name.to_owned(), resource));
                        return;
                    }
                    None => &mut node.variable.get_or_insert_with(|| (name.to_owned(), Box::default())).1,
                },
            };
        }
        node.here = Some(resource);
    }

    /// Finds the resource of a raw path; a slash at its end counts for nothing but in a greedy rest.
    pub(super) fn find(&self, path: &str) -> Option<Found> {
        let mut parameters = Vec::new();
        let resource = self.descend(path.strip_prefix('/').unwrap_or(path), &mut parameters)?;
        Some(Found { resource, parameters })
    }

    fn descend(&self, rest: &str, parameters: &mut Vec<(String, String)>) -> Option<usize> {
        if rest.is_empty() {
            return self.here;
        }
        let (part, after) = rest.split_once('/').unwrap_or((rest, ""));
        let decoded = percent_decode_str(part).decode_utf8().ok()?;
        if let Some(found) =
            self.literals.get(decoded.as_ref()).and_then(|next| next.descend(after, parameters))
        {
            return Some(found);
        }
        if let Some((name, next)) = self.variable.as_ref().filter(|_| !part.is_empty()) {
            let length = parameters.len();
            parameters.push((name.clone(), decoded.into_owned()));
            if let Some(found) = next.descend(after, parameters) {
                return Some(found);
            }
            parameters.truncate(length);
        }
        let (name, resource) = self.greedy.as_ref()?;
        parameters.push((name.clone(), percent_decode_str(rest).decode_utf8().ok()?.into_owned()));
        Some(*resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let mut router = Router::default();
        let paths = ["/", "/notes", "/notes/{id}", "/notes/mine", "/notes/{id}/photos", "/files/{proxy+}"];
        for (at, path) in paths.iter().enumerate() {
            router.add(path, at);
        }
        router
    }

    #[test]
    fn the_closest_resource_is_found() {
        let found = |path: &str| router().find(path).map(|found| (found.resource, found.parameters));
        let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(found("/"), Some((0, vec![])));
        assert_eq!(found("/notes/"), Some((1, vec![])));
        assert_eq!(found("/notes/a%20b"), Some((2, one("id", "a b"))));
        assert_eq!(found("/notes/mine"), Some((3, vec![])));
        assert_eq!(found("/notes/mine/photos"), Some((4, one("id", "mine"))));
        assert_eq!(found("/files/a/b%2Fc/"), Some((5, one("proxy", "a/b/c/"))));
        assert_eq!(found("/files"), None);
        assert_eq!(found("/other"), None);
        assert_eq!(found("/notes/%ff"), None);
    }
}

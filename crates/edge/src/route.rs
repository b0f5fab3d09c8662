use std::sync::Arc;

use homeport_core::{Fault, Region};
use homeport_service::Hosted;
use homeport_sigv4::Presented;
use homeport_wire::{Models, Operation, Protocol, Service, unknown_operation};
use http::request::Parts;

use crate::aws_host::AwsHost;
use crate::host::Hosts;

/// Which operation a call means. Routing reads the same raw path and query that the signature covers.
pub(crate) struct Routed {
    /// The service's table; none when it isn't part of this program.
    pub(crate) hosted: Option<Arc<dyn Hosted>>,
    pub(crate) model: &'static Service,
    /// The protocol the client spoke, and is answered in.
    pub(crate) protocol: Protocol,
    pub(crate) operation: Option<&'static Operation>,
    /// What the client called it, for the unknown-operation error.
    pub(crate) asked_for: String,
    /// The path in path style, for REST models.
    pub(crate) path: String,
    pub(crate) virtual_bucket: Option<String>,
    pub(crate) region: Region,
}

impl Routed {
    /// AWS's unknown-operation error for this call.
    pub(crate) fn unknown(&self) -> Fault {
        unknown_operation(self.model, &self.asked_for)
    }
}

/// The services of this program, by their models' names.
pub(crate) struct Routes {
    hosted: Vec<Arc<dyn Hosted>>,
    hosts: Hosts,
}

/// How the targets of all versions of DynamoDB's API begin.
const DYNAMODB_TARGET: &str = "DynamoDB";
/// The longest operation name that is echoed.
const MAX_NAME: usize = 128;

impl Routes {
    pub(crate) fn new(hosted: Vec<Arc<dyn Hosted>>, hosts: Hosts) -> Self {
        Self { hosted, hosts }
    }

    pub(crate) fn all(&self) -> &[Arc<dyn Hosted>] {
        &self.hosted
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<dyn Hosted>> {
        self.hosted.iter().find(|hosted| hosted.spec().name == name)
    }

    /// Whether a call is one whose operation stands in its body (Query), so that the body must be read to route it.
    /// What is signed for S3 is none: there the type is an object's.
    pub(crate) fn is_form(head: &Parts, presented: Option<&Presented>) -> bool {
        let form =
            |value: &http::HeaderValue| value.as_bytes().starts_with(b"application/x-www-form-urlencoded");
        head.method == http::Method::POST
            && presented.is_none_or(|presented| presented.service() != "s3")
            && head.headers.get(http::header::CONTENT_TYPE).is_some_and(form)
            && !head.headers.contains_key("x-amz-target")
    }

    /// Sorts a call. `form` is the body of a Query call, empty for others.
    pub(crate) fn route(
        &self,
        head: &Parts,
        host: &str,
        presented: Option<&Presented>,
        form: &[u8],
    ) -> Option<Routed> {
        let aws = AwsHost::read(host);
        // A signed region that is none is refused before anything is done in it.
        let region = presented.and_then(Presented::region).or_else(|| aws?.region).and_then(Region::parse);
        let region = region.unwrap_or_else(Region::default_region);
        let scope = presented.map(Presented::service).or(aws.map(|aws| aws.service));
        if let Some(target) = head.headers.get("x-amz-target") {
            return self.by_target(target.to_str().ok()?, scope, region);
        }
        let query = head.uri.query().unwrap_or("");
        let action = parameter(form, b"Action").or_else(|| parameter(query.as_bytes(), b"Action"));
        if let Some(action) = action.filter(|_| scope != Some("s3")) {
            let version = parameter(form, b"Version").or_else(|| parameter(query.as_bytes(), b"Version"));
            return self.by_action(&action, version.as_deref(), scope, region);
        }
        self.by_rest(head, host, scope, region)
    }

    fn by_target(&self, target: &str, scope: Option<&str>, region: Region) -> Option<Routed> {
        let named = target.rsplit_once('.').and_then(|(prefix, operation)| {
            Some((Models::service(Models::by_target_prefix(prefix)?)?, operation))
        });
        if let Some((model, operation)) = named {
            return Some(self.routed(model, Protocol::Json, model.operation(operation), operation, region));
        }
        // Whoever asks for what no version of an API here has is told so in the words of the service that is meant.
        let meant = if target.starts_with(DYNAMODB_TARGET) { "dynamodb" } else { scope? };
        let speaks_json = |model: &&'static Service| model.speaks.contains(&Protocol::Json);
        let model = Models::by_signing_name(meant).filter_map(Models::service).find(speaks_json)?;
        Some(self.routed(model, Protocol::Json, None, target, region))
    }

    fn by_action(
        &self,
        action: &str,
        version: Option<&str>,
        scope: Option<&str>,
        region: Region,
    ) -> Option<Routed> {
        let speaks_query = |model: &&'static Service| model.speaks.contains(&Protocol::Query);
        let model = match scope {
            Some(scope) => Models::by_signing_name(scope).filter_map(Models::service).find(speaks_query),
            None => Models::names()
                .filter_map(Models::service)
                .filter(speaks_query)
                .find(|model| Some(model.api_version) == version && model.operation(action).is_some()),
        }?;
        Some(self.routed(model, Protocol::Query, model.operation(action), action, region))
    }

    fn by_rest(&self, head: &Parts, host: &str, scope: Option<&str>, region: Region) -> Option<Routed> {
        let signed_for = scope.unwrap_or("s3");
        let path = head.uri.path();
        if signed_for == "s3" {
            let model = Models::service("s3")?;
            let bucket = self.hosts.bucket_of(host).map(str::to_owned);
            let path = bucket.as_ref().map_or_else(|| path.to_owned(), |bucket| format!("/{bucket}{path}"));
            let mut routed = self.by_path(model, head, path, region);
            routed.virtual_bucket = bucket;
            return Some(routed);
        }
        let rest =
            |model: &&'static Service| matches!(model.protocol, Protocol::RestJson | Protocol::RestXml);
        let models: Vec<_> = Models::by_signing_name(signed_for).filter_map(Models::service).collect();
        let mut found: Vec<Routed> = models
            .iter()
            .filter(|m| rest(m))
            .map(|m| self.by_path(m, head, path.to_owned(), region.clone()))
            .collect();
        let best = found.iter().position(|routed| routed.operation.is_some()).unwrap_or(0);
        if found.is_empty() {
            let model = models.into_iter().next()?;
            return Some(self.routed(model, model.protocol, None, path, region));
        }
        Some(found.swap_remove(best))
    }

    fn by_path(&self, model: &'static Service, head: &Parts, path: String, region: Region) -> Routed {
        let wire_head = homeport_wire::Head {
            method: head.method.as_str(),
            path: &path,
            query: head.uri.query().unwrap_or(""),
            headers: &head.headers,
        };
        let operation = model.route(&wire_head);
        let mut routed = self.routed(model, model.protocol, operation, head.uri.path(), region);
        routed.path = path;
        routed
    }

    fn routed(
        &self,
        model: &'static Service,
        protocol: Protocol,
        operation: Option<&'static Operation>,
        asked_for: &str,
        region: Region,
    ) -> Routed {
        Routed {
            hosted: self.by_name(model.name).cloned(),
            model,
            protocol,
            operation,
            asked_for: asked_for.chars().take(MAX_NAME).collect(),
            path: "/".to_owned(),
            virtual_bucket: None,
            region,
        }
    }
}

/// One parameter of a form or query, decoded; the first of its name.
fn parameter(form: &[u8], name: &[u8]) -> Option<String> {
    let value = form.split(|b| *b == b'&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))?;
    let decoded =
        percent_encoding::percent_decode(value.get(..MAX_NAME.min(value.len()))?).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

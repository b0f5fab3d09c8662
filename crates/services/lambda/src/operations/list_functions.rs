use bytes::Bytes;
use homeport_core::Scope;
use homeport_service::{Asked, Cx, Effect, Operation, Permissions};
use homeport_store::{Collection, KeyParts, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};

use crate::configuration::FunctionConfiguration;
use crate::records::{Configuration, FUNCTIONS, Function, VERSIONS, Version, all_functions, function_key};
use crate::{Lambda, LambdaError};

/// `ListFunctions` (Lambda API reference): the functions of a region by name, in pages of at most 50; with
/// `FunctionVersion=ALL` each with its published versions behind its `$LATEST`, one entry for each.
pub(crate) struct ListFunctions;

const PAGE: usize = 50;
/// Characters of a function's name.
const LONGEST_NAME: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Input {
    function_version: Option<FunctionVersion>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Clone, Copy, Deserialize)]
enum FunctionVersion {
    #[serde(rename = "ALL")]
    All,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    functions: Vec<FunctionConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

/// What is listed: a function, and which configuration of it.
struct Listed {
    function: Function,
    configuration: Configuration,
    place: Place,
}

/// Where an entry stands: functions by name, `$LATEST` as version 0 before the published ones.
#[derive(Clone)]
struct Place {
    name: String,
    version: u64,
}

impl Operation for ListFunctions {
    type Service = Lambda;
    type Input = Input;
    type Output = Output;
    type Error = LambdaError;

    const NAME: &'static str = "ListFunctions";
    const EFFECT: Effect = Effect::Reads;

    fn permissions(_: &Asked<'_, Lambda>, _: &Input) -> Permissions {
        Permissions::one("lambda:ListFunctions", "*")
    }

    fn run(cx: Cx<Lambda>, input: Input) -> impl Future<Output = Result<Output, LambdaError>> + Send {
        async move {
            let after = input.marker.as_deref().map(Place::read).transpose()?;
            let most = input.max_items.unwrap_or(PAGE).clamp(1, PAGE);
            let all = input.function_version.is_some();
            let scope = cx.scope();
            // One more than the page has, to know whether another follows.
            let mut listed = cx
                .read(|tx| async move {
                    match all {
                        false => functions(&tx, scope, after, most + 1).await,
                        true => versions(&tx, scope, after, most + 1).await,
                    }
                })
                .await?;
            let more = listed.len() > most;
            listed.truncate(most);
            let next_marker = listed.last().filter(|_| more).map(|last| last.place.marker());
            let show = |Listed { function, configuration, .. }: &Listed| {
                FunctionConfiguration::of(scope, function, configuration, &cx.service.variables, all)
            };
            Ok(Output { functions: listed.iter().map(show).collect::<Result<_, _>>()?, next_marker })
        }
    }
}

/// The functions behind a place, with their `$LATEST`.
async fn functions(
    tx: &Tx,
    scope: &Scope,
    after: Option<Place>,
    most: usize,
) -> Result<Vec<Listed>, StoreError> {
    let after = after.map(|place| function_key(scope, &place.name));
    let found = behind(tx, &FUNCTIONS, all_functions(scope), after, most, |_| true).await?;
    let latest = |function: Function| Listed {
        place: Place { name: function.name.clone(), version: 0 },
        configuration: function.latest.clone(),
        function,
    };
    Ok(found.into_iter().map(latest).collect())
}

/// The versions behind a place, `$LATEST` among them.
async fn versions(
    tx: &Tx,
    scope: &Scope,
    after: Option<Place>,
    most: usize,
) -> Result<Vec<Listed>, StoreError> {
    let mut listed = Vec::new();
    if let Some(place) = &after
        && let Some(function) = FUNCTIONS.get(tx, function_key(scope, &place.name)).await?
    {
        listed.extend(published(tx, scope, &function, place.version, most).await?);
    }
    for latest in functions(tx, scope, after, most).await? {
        if listed.len() >= most {
            break;
        }
        let function = latest.function.clone();
        listed.push(latest);
        listed.extend(published(tx, scope, &function, 0, most - listed.len()).await?);
    }
    Ok(listed)
}

/// The published versions of a function behind one of them.
async fn published(
    tx: &Tx,
    scope: &Scope,
    function: &Function,
    after: u64,
    most: usize,
) -> Result<Vec<Listed>, StoreError> {
    let key = function_key(scope, &function.name);
    let after = key.clone().u64(after);
    let of_this = |version: &Version| version.function_id == function.id;
    let found = behind(tx, &VERSIONS, key, Some(after), most, of_this).await?;
    let listed = found.into_iter().map(|version| Listed {
        function: function.clone(),
        configuration: version.configuration,
        place: Place { name: version.name, version: version.number },
    });
    Ok(listed.collect())
}

/// So many records behind a key, over as many of the store's own pages as that takes: those are bounded by bytes too.
async fn behind<R: Record>(
    tx: &Tx,
    records: &Collection<R>,
    prefix: KeyParts,
    after: Option<KeyParts>,
    most: usize,
    keep: impl Fn(&R) -> bool,
) -> Result<Vec<R>, StoreError> {
    let mut found = Vec::new();
    let mut from = after.map(|key| Bytes::copy_from_slice(key.as_bytes()));
    while found.len() < most {
        let page = records.page(tx, &prefix, from.as_deref(), most - found.len()).await?;
        found.extend(page.records.into_iter().filter(&keep));
        match page.cursor {
            Some(cursor) => from = Some(cursor),
            None => break,
        }
    }
    Ok(found)
}

impl Place {
    /// As a client hands it back.
    fn marker(&self) -> String {
        hex::encode(format!("{}:{}", self.name, self.version))
    }

    fn read(marker: &str) -> Result<Self, LambdaError> {
        let text = hex::decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let place = text.as_deref().and_then(|text| text.split_once(':'));
        let place = place.and_then(|(name, version)| Some((name.to_owned(), version.parse().ok()?)));
        let place = place.filter(|(name, _): &(String, u64)| name.len() <= LONGEST_NAME);
        let (name, version) = place.ok_or_else(|| LambdaError::invalid("The marker is not valid."))?;
        Ok(Self { name, version })
    }
}

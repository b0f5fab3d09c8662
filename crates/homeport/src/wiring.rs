//! Which services there are, and who meets which need. The only place that knows them all.

use std::sync::Arc;

use homeport_service::needs::{ResourcePolicy, VerifyWebIdentity};
use homeport_service::{Hosted, Plane};

use crate::error::ProgramError;
use crate::house::House;
use crate::moving::is_held;
use crate::{jobs, machine};

/// The services of a server.
pub(crate) struct Services {
    /// All of them, as the pipeline sees them.
    pub(crate) hosted: Vec<Arc<dyn Hosted>>,
    /// What answers calls that are no AWS calls, in the order in which they are asked.
    pub(crate) planes: Vec<Arc<dyn Plane>>,
}

/// Makes all services, then fills the needs: some are met by services that need others.
pub(crate) async fn services(house: &House) -> Result<Services, ProgramError> {
    let parts = &house.parts;
    let config = &house.config;
    let own = config.store.database.is_none().then(|| config.data.blobs());
    let blobs =
        config.blobs.open(own.as_deref(), parts.vault.installation(), &house.environment, &*parts.randomness);
    let blobs = blobs.await?;
    house.blobs.set(blobs.clone()).ok();
    let (store, clock) = (parts.store.clone(), parts.clock.clone());
    blobs.hold().ask(move || {
        let (store, clock) = (store.clone(), clock.clone());
        Box::pin(async move { is_held(&store, &clock).await })
    });
    let (pools, pools_host) = homeport_cognito_idp::host_with(parts, house.config.cognito.sign_in);
    let (gateway, gateway_host) = homeport_apigateway::host(parts);
    let (sts, sts_host) = homeport_sts::host(parts);
    let (identity, identity_host) = homeport_cognito_identity::host(parts);
    let (dynamodb, dynamodb_host) = homeport_dynamodb::host(parts);
    let (s3, s3_host) = homeport_s3::host(parts, &blobs);
    let (lambda, lambda_host) = homeport_lambda::host(parts, machine::describe(house, &blobs).await?)?;
    let (logs, logs_host) = homeport_logs::host(parts);
    let (_cloudtrail, cloudtrail_host) = homeport_cloudtrail::host(parts);

    let needs = &parts.needs;
    needs.identify_users.set(house.iam.clone()).ok();
    needs.policies_of.set(house.iam.clone()).ok();
    needs.identify_sessions.set(sts.clone()).ok();
    needs.assume.set(sts).ok();
    needs.verify_token.set(pools.clone()).ok();
    needs.identities.set(identity.clone()).ok();
    needs.users_gone.set(vec![identity.clone(), house.mail.clone()]).ok();
    let issuers: Vec<Arc<dyn VerifyWebIdentity>> = vec![identity.clone(), house.iam.clone()];
    needs.web_identities.set(issuers).ok();
    needs.bucket_cors.set(s3.clone()).ok();
    needs.objects.set(homeport_s3::objects(parts, &s3)).ok();
    needs.put_log.set(logs.clone()).ok();
    needs.invoke.set(lambda.clone()).ok();
    let policies: Vec<(&'static str, Arc<dyn ResourcePolicy>)> = vec![
        ("iam", house.iam.clone()),
        ("s3", s3.clone()),
        ("lambda", lambda.clone()),
        ("dynamodb", dynamodb.clone()),
        ("execute-api", gateway),
    ];
    needs.resource_policies.set(policies).ok();

    logs.start();
    lambda.start();
    pools.resume().await?;
    let works = dynamodb.clone();
    house.duties.take("dynamodb", move |_| works.clone().work());
    jobs::start(parts, &house.duties, s3, identity, house.mail.clone());
    let hosted = vec![
        house.iam_host.clone(),
        sts_host,
        pools_host,
        identity_host,
        dynamodb_host,
        homeport_dynamodb::streams_host(dynamodb.clone()),
        s3_host,
        lambda_host,
        gateway_host,
        logs_host,
        cloudtrail_host,
    ];
    Ok(Services { hosted, planes: vec![homeport_apigateway::plane(parts), pools] })
}

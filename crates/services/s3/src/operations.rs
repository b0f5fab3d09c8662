//! The table of operations.

mod bucket_cors;
mod bucket_policy;
mod copy_object;
mod create_bucket;
mod delete_bucket;
mod delete_object;
mod delete_objects;
mod get_bucket_location;
mod get_object;
mod head_bucket;
mod head_object;
mod list_buckets;
mod list_objects;
mod list_objects_v2;
mod put_object;

use homeport_service::{Entry, by_hand, modelled};

use crate::S3;

/// Every operation that is built.
pub static OPERATIONS: &[Entry<S3>] = &[
    modelled::<copy_object::CopyObject>(),
    modelled::<create_bucket::CreateBucket>(),
    modelled::<delete_bucket::DeleteBucket>(),
    modelled::<bucket_cors::DeleteBucketCors>(),
    modelled::<bucket_policy::DeleteBucketPolicy>(),
    by_hand::<delete_object::DeleteObject>(),
    modelled::<delete_objects::DeleteObjects>(),
    modelled::<bucket_cors::GetBucketCors>(),
    modelled::<get_bucket_location::GetBucketLocation>(),
    modelled::<bucket_policy::GetBucketPolicy>(),
    by_hand::<get_object::GetObject>(),
    modelled::<head_bucket::HeadBucket>(),
    by_hand::<head_object::HeadObject>(),
    modelled::<list_buckets::ListBuckets>(),
    modelled::<list_objects::ListObjects>(),
    modelled::<list_objects_v2::ListObjectsV2>(),
    modelled::<bucket_cors::PutBucketCors>(),
    modelled::<bucket_policy::PutBucketPolicy>(),
    by_hand::<put_object::PutObject>(),
];

/// The account's canonical user id: 64 hexadecimal digits that say nothing else.
fn canonical_id(account: homeport_core::Account) -> String {
    let name = format!("homeport s3 canonical user id of {account}");
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes()))
}

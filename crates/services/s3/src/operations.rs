//! The table of operations.

mod abort_multipart_upload;
mod bucket_cors;
mod bucket_policy;
mod complete_multipart_upload;
mod copy_object;
mod create_bucket;
mod create_multipart_upload;
mod delete_bucket;
mod delete_object;
mod delete_objects;
mod get_bucket_location;
mod get_object;
mod get_object_tagging;
mod head_bucket;
mod head_object;
mod list_buckets;
mod list_multipart_uploads;
mod list_objects;
mod list_objects_v2;
mod list_parts;
pub(crate) mod put_object;
mod upload_part;
mod upload_part_copy;

use homeport_service::{Entry, by_hand, modelled};

use crate::S3;

/// Every operation that is built.
pub static OPERATIONS: &[Entry<S3>] = &[
    modelled::<abort_multipart_upload::AbortMultipartUpload>(),
    by_hand::<complete_multipart_upload::CompleteMultipartUpload>(),
    modelled::<copy_object::CopyObject>(),
    modelled::<create_bucket::CreateBucket>(),
    by_hand::<create_multipart_upload::CreateMultipartUpload>(),
    modelled::<delete_bucket::DeleteBucket>(),
    modelled::<bucket_cors::DeleteBucketCors>(),
    modelled::<bucket_policy::DeleteBucketPolicy>(),
    by_hand::<delete_object::DeleteObject>(),
    by_hand::<delete_objects::DeleteObjects>(),
    modelled::<bucket_cors::GetBucketCors>(),
    modelled::<get_bucket_location::GetBucketLocation>(),
    modelled::<bucket_policy::GetBucketPolicy>(),
    by_hand::<get_object::GetObject>(),
    modelled::<get_object_tagging::GetObjectTagging>(),
    modelled::<head_bucket::HeadBucket>(),
    by_hand::<head_object::HeadObject>(),
    modelled::<list_buckets::ListBuckets>(),
    modelled::<list_multipart_uploads::ListMultipartUploads>(),
    modelled::<list_objects::ListObjects>(),
    modelled::<list_objects_v2::ListObjectsV2>(),
    modelled::<list_parts::ListParts>(),
    by_hand::<bucket_cors::PutBucketCors>(),
    by_hand::<bucket_policy::PutBucketPolicy>(),
    by_hand::<put_object::PutObject>(),
    by_hand::<upload_part::UploadPart>(),
    modelled::<upload_part_copy::UploadPartCopy>(),
];

/// The account's canonical user id: 64 hexadecimal digits that say nothing else.
fn canonical_id(account: homeport_core::Account) -> String {
    let name = format!("homeport s3 canonical user id of {account}");
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes()))
}

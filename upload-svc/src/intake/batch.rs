use std::net::IpAddr;

use catalog::{Bearer, Published, Standing};
use domain::{FileName, ImageRefusal};

use super::{
    Arrived, measure,
    options::Options,
    publish::{Prepared, publish},
};
use crate::{Service, problem::Failure};

/// Publishes all files of a form or none of them. The first thing against one of them is the answer for all.
///
/// Whatever can be known beforehand is: nothing is published before every file has been looked into and all of them together
/// fit the quota. What fails after that (the database goes away, another upload takes the room) is followed by withdrawing what
/// was new in this batch.
pub(super) async fn publish_together(
    service: &Service,
    bearer: &Bearer,
    client: IpAddr,
    prepared: Vec<(FileName, Result<Prepared, Failure>)>,
    options: &Options,
) -> Result<Vec<Arrived>, Failure> {
    let mut files = Vec::with_capacity(prepared.len());
    for (place, (name, file)) in prepared.into_iter().enumerate() {
        files.push((
            name.clone(),
            file.map_err(|failure| of_batch(place, &name, failure))?,
        ));
    }
    let bytes = files.iter().map(|(_, file)| file.size_bytes()).sum();
    let quota = catalog::find_quota(service.catalog(), bearer.account_id).await?;
    if quota.is_some_and(|quota| !quota.has_room(bytes)) {
        return Err(ImageRefusal::QuotaExceeded.into());
    }
    let mut arrived: Vec<Arrived> = Vec::with_capacity(files.len());
    for (place, (name, file)) in files.into_iter().enumerate() {
        match publish(service, bearer, client, file, options).await {
            Ok(published) => arrived.push(Arrived {
                name,
                outcome: Ok(published),
            }),
            Err(failure) => {
                take_back(service, client, &arrived).await;
                return Err(of_batch(place, &name, failure));
            }
        }
    }
    for each in &arrived {
        measure(service, &each.outcome);
    }
    Ok(arrived)
}

fn of_batch(place: usize, name: &FileName, failure: Failure) -> Failure {
    Failure::OfBatch {
        place,
        name: name.to_string(),
        failure: Box::new(failure),
    }
}

/// Withdraws what this batch has made. What was there before it stays.
async fn take_back(service: &Service, client: IpAddr, arrived: &[Arrived]) {
    for each in arrived {
        let Ok(Published {
            image,
            standing: Standing::Uploaded,
        }) = &each.outcome
        else {
            continue;
        };
        let withdrawing = catalog::withdraw(
            service.catalog(),
            image.account_id,
            image.public_id,
            Some(client),
            service.now(),
        );
        if let Err(error) = withdrawing.await {
            tracing::warn!(id = %image.public_id, error = &error as &dyn std::error::Error, "a file of a batch that failed could not be withdrawn");
        }
    }
}

//! Claims of requests that are done once.

use catalog::{
    Claimed, IdempotencyClaim, IdempotencyKey, KeptAnswer, claim_request, forget_answers, keep_answer,
    release_claim, renew_claim,
};
use domain::Sha256;

use crate::rig::{Rig, at};

fn claim(account_id: i64, holder: u8) -> IdempotencyClaim {
    IdempotencyClaim {
        key: IdempotencyKey {
            account_id,
            hash: Sha256([7; 32]),
        },
        holder: [holder; 16],
    }
}

#[tokio::test]
async fn a_claim_lasts_while_it_is_renewed_and_then_belongs_to_the_next() {
    let rig = Rig::new().await;
    let account = rig.account("ann").await;
    let (first, second) = (claim(account, 1), claim(account, 2));
    let take = async |claim, now| {
        claim_request(&rig.upload, claim, at(now + 60), at(86_400), at(now))
            .await
            .unwrap()
    };
    assert_eq!(take(&first, 0).await, Claimed::Ours);
    assert_eq!(take(&second, 59).await, Claimed::UnderWay);
    assert!(renew_claim(&rig.upload, &first, at(110)).await.unwrap());
    assert_eq!(take(&second, 109).await, Claimed::UnderWay);
    assert_eq!(
        take(&second, 110).await,
        Claimed::Ours,
        "its holder is believed dead"
    );
    let answer = KeptAnswer {
        fingerprint: Sha256([1; 32]),
        sealed: b"sealed".to_vec(),
    };
    // The first was alive after all: it can neither keep, renew nor release what is another's now.
    assert!(!keep_answer(&rig.upload, &first, &answer).await.unwrap());
    assert!(!renew_claim(&rig.upload, &first, at(500)).await.unwrap());
    assert!(!release_claim(&rig.upload, &first).await.unwrap());
    assert!(keep_answer(&rig.upload, &second, &answer).await.unwrap());
    assert!(
        !release_claim(&rig.upload, &second).await.unwrap(),
        "what is answered stays"
    );
    assert_eq!(take(&first, 10_000).await, Claimed::Answered(answer));
}

#[tokio::test]
async fn what_is_released_is_free_and_what_was_kept_long_enough_is_forgotten() {
    let rig = Rig::new().await;
    let account = rig.account("ann").await;
    let first = claim(account, 1);
    for _ in 0..2 {
        let claimed = claim_request(&rig.upload, &first, at(60), at(100), at(0))
            .await
            .unwrap();
        assert_eq!(claimed, Claimed::Ours);
        assert!(release_claim(&rig.upload, &first).await.unwrap());
    }
    claim_request(&rig.upload, &first, at(60), at(100), at(0))
        .await
        .unwrap();
    assert_eq!(forget_answers(&rig.janitor, 10, at(99)).await.unwrap(), 0);
    assert_eq!(forget_answers(&rig.janitor, 10, at(100)).await.unwrap(), 1);
    assert_eq!(rig.number("SELECT count(*) FROM idempotency").await, 0);
}

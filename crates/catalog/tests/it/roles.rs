//! Upload writes, serve reads, janitor removes: no role can do another's verb, whatever its service is made to send.

use catalog::ServiceRole::{Janitor, Serve, Upload};
use test_kit::TestDatabase;
use tokio_postgres::error::SqlState;

use crate::rig::{Rig, image};

#[tokio::test]
async fn no_role_can_do_anothers_verb() {
    let rig = Rig::new().await;
    let owner = rig.account("owner").await;
    rig.publish(&image(owner, 1)).await;
    for (role, statement) in [
        (Upload, "DELETE FROM blob"),
        (Upload, "INSERT INTO damage VALUES (1, 'lost', now())"),
        (Upload, "UPDATE damage SET what = 'bytes'"),
        (Upload, "UPDATE scrub SET after = 0"),
        (Serve, "DELETE FROM damage"),
        (Serve, "SELECT after FROM scrub"),
        (Upload, "DELETE FROM image"),
        (Upload, "TRUNCATE image"),
        (Upload, "UPDATE view_count SET views = 0"),
        (Upload, "INSERT INTO view_count VALUES (1, 1, 1, now())"),
        (Upload, "UPDATE event SET kind = 'nothing'"),
        (Upload, "DELETE FROM event"),
        (
            Serve,
            "INSERT INTO account (username, role, password_hash, created_at) VALUES ('x', 'admin', 'x', now())",
        ),
        (Serve, "SELECT password_hash FROM account"),
        (Serve, "SELECT role FROM account"),
        (Serve, "SELECT hash FROM token"),
        (Serve, "SELECT detail FROM event"),
        (Serve, "SELECT name FROM album"),
        (Serve, "INSERT INTO blob (sha256) VALUES ('x')"),
        (Serve, "UPDATE blob SET links = 0"),
        (Serve, "DELETE FROM blob"),
        (Serve, "SELECT id FROM blob FOR UPDATE"),
        (Serve, "INSERT INTO image (public_id) VALUES ('x')"),
        (Serve, "UPDATE image SET expires_at = NULL"),
        (Serve, "UPDATE image SET ended_at = now(), ended_by = 'withdrawn'"),
        (Serve, "DELETE FROM image"),
        (Serve, "DELETE FROM view_count"),
        (Serve, "INSERT INTO event (at, kind) VALUES (now(), 'x')"),
        (Serve, "UPDATE variant SET size_bytes = 1"),
        (Serve, "UPDATE variant SET none_because = 'x'"),
        (Serve, "INSERT INTO variant (sha256) VALUES ('x')"),
        (Serve, "DELETE FROM variant"),
        (Upload, "DELETE FROM variant"),
        (Janitor, "INSERT INTO image (public_id) VALUES ('x')"),
        (Janitor, "UPDATE image SET expires_at = NULL"),
        (Janitor, "UPDATE image SET visibility = 'public'"),
        (Janitor, "UPDATE image SET blob_id = 1"),
        (Janitor, "SELECT password_hash FROM account"),
        (Janitor, "SELECT username FROM account"),
        (Janitor, "UPDATE account SET password_hash = 'x'"),
        (Janitor, "UPDATE account SET role = 'admin'"),
        (Janitor, "INSERT INTO token (account_id) VALUES (1)"),
        (Janitor, "SELECT hash FROM token"),
        (Janitor, "UPDATE view_count SET views = 0"),
        (Janitor, "DELETE FROM account"),
        (Janitor, "SELECT answer FROM idempotency"),
        (Janitor, "SELECT metadata FROM upload"),
        (Janitor, "INSERT INTO purge_many (album_id) VALUES (1)"),
        (Janitor, "INSERT INTO purge (public_id) VALUES ('x')"),
        (Upload, "UPDATE purge_hook SET is_on = true"),
        (Upload, "SELECT username FROM purge"),
        (Upload, "SELECT queue_purge(image, 'x') FROM image"),
        (Serve, "SELECT public_id FROM purge"),
        (Serve, "SELECT queue_purge(image, 'x') FROM image"),
        (Serve, "SELECT id FROM upload"),
        (Serve, "SELECT key_hash FROM idempotency"),
    ] {
        let refused = rig.database.connect_as(role).await.batch_execute(statement).await;
        let code = refused.err().and_then(|error| error.code().cloned());
        assert_eq!(
            code,
            Some(SqlState::INSUFFICIENT_PRIVILEGE),
            "{role:?}: {statement}"
        );
    }
}

#[tokio::test]
async fn no_service_can_change_the_tables_or_read_how_they_got_there() {
    let database = TestDatabase::create().await;
    for role in [Upload, Serve, Janitor] {
        let client = database.connect_as(role).await;
        for statement in [
            "CREATE TABLE mine (id int)",
            "ALTER TABLE image ADD COLUMN mine int",
            "DROP TABLE image",
            "ALTER TABLE image DISABLE TRIGGER ALL",
            "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "UPDATE refinery_schema_history SET checksum = '0'",
            "CREATE ROLE mine",
            "ALTER ROLE postgres PASSWORD 'mine'",
            "SET ROLE postgres",
            "COPY image TO PROGRAM 'cat'",
            "SELECT pg_read_file('/etc/passwd')",
        ] {
            let refused = client.batch_execute(statement).await;
            let code = refused.err().and_then(|error| error.code().cloned());
            assert_eq!(
                code,
                Some(SqlState::INSUFFICIENT_PRIVILEGE),
                "{role:?}: {statement}"
            );
        }
    }
}

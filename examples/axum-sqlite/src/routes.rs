//! HTTP in front of the catalogue. The handlers do not know which answers come from the cache.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, put};
use axum::{Json, Router};
use cache_runtime::cache;
use serde::Deserialize;
use serde_json::json;

use crate::catalogue::{Catalogue, Package};
use crate::database::DatabaseError;

pub(crate) fn router(catalogue: Catalogue) -> Router {
    Router::new()
        .route("/packages", get(packages_by_licence))
        .route("/packages/{name}", get(package))
        .route("/packages/{name}/dependents", get(dependents))
        .route("/packages/{name}/note", put(write_note))
        .route("/api/cache/packages/{name}", delete(forget_package))
        .route("/api/cache/tags/{tag}", delete(forget_tag))
        .route("/api/cache/stats", get(stats))
        .with_state(catalogue)
}

#[derive(Deserialize)]
struct ByLicence {
    licence: String,
}

async fn packages_by_licence(
    State(catalogue): State<Catalogue>,
    Query(ByLicence { licence }): Query<ByLicence>,
) -> Result<Json<Vec<Package>>, Failure> {
    Ok(Json(catalogue.packages_by_licence(&licence).await?))
}

async fn package(
    State(catalogue): State<Catalogue>,
    Path(name): Path<String>,
) -> Result<Json<Package>, Failure> {
    let found = catalogue.package(&name).await?;
    Ok(Json(found.ok_or(DatabaseError::UnknownPackage(name))?))
}

async fn dependents(
    State(catalogue): State<Catalogue>,
    Path(name): Path<String>,
) -> Result<Json<Vec<String>>, Failure> {
    Ok(Json(catalogue.dependents(&name).await?))
}

async fn write_note(
    State(catalogue): State<Catalogue>,
    Path(name): Path<String>,
    note: String,
) -> Result<Json<Package>, Failure> {
    Ok(Json(catalogue.write_note(&name, &note).await?))
}

/// For the operator: the data was changed behind the service's back.
async fn forget_package(
    State(catalogue): State<Catalogue>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    catalogue.package_invalidate(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn forget_tag(Path(tag): Path<String>) -> Result<StatusCode, Failure> {
    cache().invalidate_tag(tag).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn stats() -> Result<Response, Failure> {
    Ok(Json(cache().stats().await?).into_response())
}

/// What the client is told when a request fails.
enum Failure {
    Database(DatabaseError),
    Cache(cache_runtime::Error),
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<cache_runtime::Error> for Failure {
    fn from(error: cache_runtime::Error) -> Self {
        Self::Cache(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match &self {
            Self::Database(error @ DatabaseError::UnknownPackage(_)) => {
                (StatusCode::NOT_FOUND, error.to_string())
            }
            Self::Database(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            Self::Cache(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

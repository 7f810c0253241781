# What one does with this repository. `make` alone lists it. Everything but the words stands in scripts/.

.DEFAULT_GOAL := help
.PHONY: help run test bench kills drill drills lighthouse audit schemathesis env fmt

help: ## This list · 显示本列表
	@echo "berth"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and start everything on this machine, no Docker (BERTH_DATA, BERTH_LISTEN) · 本机一键启动
	@exec scripts/run.sh

test: ## Format, lints, unit, integration and end-to-end tests · 全部测试
	@exec scripts/test.sh

bench: ## Pages of lists, thumbnails, views a second against plain nginx · 性能对比
	@exec scripts/bench.sh

kills: ## Counts held against 100 kills of serve-svc and Postgres (KILLS) · 反复强杀下核对计数
	@exec scripts/kills.sh

drill: ## Backup, wipe and restore of 10,000 images, all compared (DRILL_IMAGES) · 备份恢复演练
	@exec scripts/drill.sh

drills: ## Faults on purpose, in numbers: NAME=scrub|faults|full|outage|leaders (all) · 故障演练
	@exec scripts/drills.sh

lighthouse: ## Lighthouse's figures of the page, 95 at least (LEAST_PERFORMANCE) · 网页 Lighthouse 评分
	@exec scripts/lighthouse.sh

schemathesis: ## Requests that nobody thought of, against the OpenAPI document · 按 OpenAPI 文档做模糊测试
	@exec scripts/schemathesis.sh

audit: ## Advisories and licences of what we build on (builds cargo-deny once) · 依赖审计
	@exec scripts/audit.sh

env: ## Write .env for Docker Compose, with fresh secrets · 生成 .env 与密钥
	@exec scripts/env.sh

fmt: ## Put all Rust code into shape · 格式化代码
	@cargo fmt --all

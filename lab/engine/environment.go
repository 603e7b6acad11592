// Package runner is act's own: this file is added to it when the lab's workflow engine is built (see engine.ts).
//
// act knows neither environments nor a job's permissions nor groups. Here a job asks the lab for them before its first step,
// as on GitHub: it takes its group, waits for a reviewer with it, and gets the secrets and variables of its environment, a GITHUB_TOKEN with its own
// permissions, and the tokens of the runner. What a called workflow was not handed by name, it does not see.
package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/nektos/act/pkg/common"
	"gopkg.in/yaml.v3"
)

const controlVariable = "MCPRT_ENGINE_CONTROL"

// Secrets of the jobs that were let in, by their context.
var environmentSecrets sync.Map

type jobRequest struct {
	Workflow          string `json:"workflow"`
	Job               string `json:"job"`
	Environment       any    `json:"environment"`
	Permissions       any    `json:"permissions"`
	CallerPermissions any    `json:"callerPermissions"`
	IsCalled          bool   `json:"isCalled"`
	CacheMode         string `json:"cacheMode"`
	// Of the job, and of the workflow that was started.
	Concurrency         any `json:"concurrency"`
	WorkflowConcurrency any `json:"workflowConcurrency"`
	// Whether the job is over, and gives back its group.
	HasEnded bool `json:"hasEnded"`
	// The names that the caller of a reusable workflow hands on; null where nothing was called.
	Secrets []string `json:"secrets"`
}

type jobGrant struct {
	Denied  string            `json:"denied"`
	Token   string            `json:"token"`
	Secrets map[string]string `json:"secrets"`
	Vars    map[string]string `json:"vars"`
	Env     map[string]string `json:"env"`
}

// enterEnvironment waits until the lab lets the job in, and gives it what it may have.
func (rc *RunContext) enterEnvironment(ctx context.Context) error {
	request, handed, err := rc.jobRequest(ctx)
	if err != nil {
		return err
	}
	grant, err := askControl(ctx, request)
	if err != nil {
		return err
	}
	if grant.Denied != "" {
		return fmt.Errorf("job %s: %s", rc.Run.JobID, grant.Denied)
	}
	secrets := grant.Secrets
	if request.IsCalled {
		secrets = map[string]string{}
		for name, value := range handed {
			if own, ok := grant.Secrets[name]; ok {
				value = own
			}
			secrets[name] = value
		}
	}
	secrets["GITHUB_TOKEN"] = grant.Token
	config := *rc.Config
	config.Secrets = secrets
	config.Vars = mergeMaps(rc.Config.Vars, grant.Vars)
	config.Token = grant.Token
	config.Env = mergeMaps(rc.Config.Env, grant.Env)
	rc.Config = &config
	environmentSecrets.Store(rc, secrets)
	for name, value := range grant.Env {
		rc.Env[name] = value
	}
	for _, value := range secrets {
		if strings.TrimSpace(value) != "" {
			rc.AddMask(value)
		}
	}
	rc.resolveOwnActions()
	return nil
}

// leaveEnvironment tells the lab that the job is over, whatever became of it.
func (rc *RunContext) leaveEnvironment(ctx context.Context) {
	request := jobRequest{Workflow: rc.Run.Workflow.File, Job: rc.Run.JobID, HasEnded: true}
	if _, err := askControl(context.WithoutCancel(ctx), request); err != nil {
		common.Logger(ctx).Errorf("%v", err)
	}
}

func (rc *RunContext) jobRequest(ctx context.Context) (jobRequest, map[string]string, error) {
	job := rc.Run.Job()
	request := jobRequest{Workflow: rc.Run.Workflow.File, Job: rc.Run.JobID, CacheMode: job.CacheMode}
	var err error
	if request.Environment, err = rc.decoded(ctx, job.RawEnvironment); err != nil {
		return request, nil, err
	}
	if request.Concurrency, err = rc.decoded(ctx, job.RawConcurrency); err != nil {
		return request, nil, err
	}
	started := rc
	for started.caller != nil {
		started = started.caller.runContext
	}
	if request.WorkflowConcurrency, err = started.decoded(ctx, started.Run.Workflow.RawConcurrency); err != nil {
		return request, nil, err
	}
	permissions := job.RawPermissions
	if permissions.IsZero() {
		permissions = rc.Run.Workflow.RawPermissions
	}
	if request.Permissions, err = rc.decoded(ctx, permissions); err != nil {
		return request, nil, err
	}
	if rc.caller == nil {
		return request, nil, nil
	}
	request.IsCalled = true
	by := rc.caller.runContext
	allowed := by.Run.Job().RawPermissions
	if allowed.IsZero() {
		allowed = by.Run.Workflow.RawPermissions
	}
	if request.CallerPermissions, err = by.decoded(ctx, allowed); err != nil {
		return request, nil, err
	}
	handed := map[string]string{}
	declared := rc.Run.Workflow.WorkflowCallConfig().Secrets
	for name, value := range by.Run.Job().Secrets() {
		if _, ok := declared[name]; !ok {
			return request, nil, fmt.Errorf("secret %s is not declared by the called workflow", name)
		}
		handed[name] = by.NewExpressionEvaluator(ctx).Interpolate(ctx, value)
		request.Secrets = append(request.Secrets, name)
	}
	return request, handed, nil
}

func (rc *RunContext) decoded(ctx context.Context, node yaml.Node) (any, error) {
	if node.IsZero() {
		return nil, nil
	}
	if err := rc.NewExpressionEvaluator(ctx).EvaluateYamlNode(ctx, &node); err != nil {
		// `environment.url` may name outputs of steps that have not run yet.
		common.Logger(ctx).Debugf("not evaluated: %v", err)
	}
	var value any
	err := node.Decode(&value)
	return value, err
}

func askControl(ctx context.Context, request jobRequest) (jobGrant, error) {
	var grant jobGrant
	body, err := json.Marshal(request)
	if err != nil {
		return grant, err
	}
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv(controlVariable), bytes.NewReader(body))
	if err != nil {
		return grant, err
	}
	reply, err := http.DefaultClient.Do(call)
	if err != nil {
		return grant, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return grant, err
	}
	return grant, json.Unmarshal(text, &grant)
}

var calledWorkflow = regexp.MustCompile(`^([^/]+/[^/]+)/\.github/workflows/[^@]+@(.+)$`)

// resolveOwnActions makes of `$/x`, which means the repository of the running workflow at its own commit, what act knows.
func (rc *RunContext) resolveOwnActions() {
	repository := "./"
	suffix := ""
	if rc.caller != nil {
		if found := calledWorkflow.FindStringSubmatch(rc.caller.runContext.Run.Job().Uses); found != nil {
			repository, suffix = found[1]+"/", "@"+found[2]
		}
	}
	for _, step := range rc.Run.Job().Steps {
		if path, ok := strings.CutPrefix(step.Uses, "$/"); ok {
			step.Uses = repository + path + suffix
		}
	}
}

// Answers the cases of record_kube.py with Kubernetes' own code: JSON in, JSON out.
package main

import (
	"encoding/json"
	"os"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	podresource "k8s.io/component-helpers/resource"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

type cases struct {
	Quantities  []string            `json:"quantities"`
	Labels      []map[string]string `json:"labels"`
	Selectors   []string            `json:"selectors"`
	Fields      []string            `json:"fields"`
	Nodes       []v1.Node           `json:"nodes"`
	PodSpecs    []v1.PodSpec        `json:"podSpecs"`
	Tolerations []v1.Toleration     `json:"tolerations"`
	Taints      []v1.Taint          `json:"taints"`
	Pods        []v1.PodSpec        `json:"pods"`
}

func quantity(text string) any {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return map[string]any{"value": q.AsDec().String(), "milli": q.MilliValue(), "whole": q.Value()}
}

func selector(text string, sets []map[string]string) any {
	parsed, err := labels.Parse(text)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	matched := []bool{}
	for _, set := range sets {
		matched = append(matched, parsed.Matches(labels.Set(set)))
	}
	return matched
}

func field(text string) any {
	parsed, err := fields.ParseSelector(text)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	found := [][]any{}
	for _, r := range parsed.Requirements() {
		found = append(found, []any{r.Field, r.Operator == "=", r.Value})
	}
	return found
}

func placement(spec v1.PodSpec, nodes []v1.Node) any {
	required := nodeaffinity.GetRequiredNodeAffinity(&v1.Pod{Spec: spec})
	var preferred *nodeaffinity.PreferredSchedulingTerms
	if spec.Affinity != nil && spec.Affinity.NodeAffinity != nil {
		preferred, _ = nodeaffinity.NewPreferredSchedulingTerms(
			spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	answers := [][]any{}
	for i := range nodes {
		match, _ := required.Match(&nodes[i])
		score := int64(0)
		if preferred != nil {
			score = preferred.Score(&nodes[i])
		}
		answers = append(answers, []any{match, score})
	}
	return answers
}

func tolerated(toleration v1.Toleration, taints []v1.Taint) any {
	answers := []bool{}
	for i := range taints {
		answers = append(answers, toleration.ToleratesTaint(&taints[i]))
	}
	return answers
}

func requests(spec v1.PodSpec) any {
	amounts := map[string]int64{}
	for name, q := range podresource.PodRequests(&v1.Pod{Spec: spec}, podresource.PodResourcesOptions{}) {
		if name == v1.ResourceCPU {
			amounts[string(name)] = q.MilliValue()
		} else {
			amounts[string(name)] = q.Value()
		}
	}
	return amounts
}

func main() {
	var in cases
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	out := map[string][]any{}
	for _, c := range in.Quantities {
		out["quantities"] = append(out["quantities"], quantity(c))
	}
	for _, c := range in.Selectors {
		out["selectors"] = append(out["selectors"], selector(c, in.Labels))
	}
	for _, c := range in.Fields {
		out["fields"] = append(out["fields"], field(c))
	}
	for _, c := range in.PodSpecs {
		out["podSpecs"] = append(out["podSpecs"], placement(c, in.Nodes))
	}
	for _, c := range in.Tolerations {
		out["tolerations"] = append(out["tolerations"], tolerated(c, in.Taints))
	}
	for _, c := range in.Pods {
		out["pods"] = append(out["pods"], requests(c))
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}

package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const (
	// finalizer holds a Site until it is taken out of the directory.
	finalizer = "example.com/directory"
	// directory is the ConfigMap that lists the Sites of a namespace. No single Site owns it.
	directory = "sites"
	ready     = "Ready"
)

type reconciler struct {
	client.Client
	events events.EventRecorder
}

// Reconcile makes a ConfigMap and a Deployment of a Site, and reports when its web servers are ready.
func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	site := &Site{}
	if err := r.Get(ctx, request.NamespacedName, site); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !site.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.remove(ctx, site)
	}
	if controllerutil.AddFinalizer(site, finalizer) {
		return ctrl.Result{}, r.Update(ctx, site)
	}
	if err := r.list(ctx, site, true); err != nil {
		return ctrl.Result{}, err
	}
	page := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: pageOf(site), Namespace: site.Namespace}}
	if _, err := controllerutil.CreateOrUpdate(ctx, r.Client, page, func() error {
		page.Data = map[string]string{"index.html": site.Spec.HTML}
		return controllerutil.SetControllerReference(site, page, r.Scheme())
	}); err != nil {
		return ctrl.Result{}, err
	}
	servers := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: site.Name, Namespace: site.Namespace}}
	outcome, err := controllerutil.CreateOrUpdate(ctx, r.Client, servers, func() error {
		serve(servers, site)
		return controllerutil.SetControllerReference(site, servers, r.Scheme())
	})
	if err != nil {
		return ctrl.Result{}, err
	}
	if outcome != controllerutil.OperationResultNone {
		r.events.Eventf(site, servers, corev1.EventTypeNormal, "Deployed", "Deploy", "Deployment %s", outcome)
	}
	return ctrl.Result{}, r.report(ctx, site, servers)
}

// serve sets what the Site says of its Deployment, and leaves the rest as it is.
func serve(servers *appsv1.Deployment, site *Site) {
	labels := map[string]string{"example.com/site": site.Name}
	servers.Spec.Replicas = &site.Spec.Replicas
	servers.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
	servers.Spec.Template.Labels = labels
	pod := &servers.Spec.Template.Spec
	if len(pod.Containers) == 0 {
		pod.Containers = make([]corev1.Container, 1)
	}
	web := &pod.Containers[0]
	web.Name, web.Image = "web", "nginx:1.29"
	web.VolumeMounts = []corev1.VolumeMount{{Name: "page", MountPath: "/usr/share/nginx/html"}}
	if len(pod.Volumes) == 0 {
		pod.Volumes = []corev1.Volume{{Name: "page"}}
	}
	if pod.Volumes[0].ConfigMap == nil {
		pod.Volumes[0].ConfigMap = &corev1.ConfigMapVolumeSource{}
	}
	pod.Volumes[0].ConfigMap.Name = pageOf(site)
}

func pageOf(site *Site) string {
	return site.Name + "-page"
}

// report writes the status if it has changed.
func (r *reconciler) report(ctx context.Context, site *Site, servers *appsv1.Deployment) error {
	before := site.DeepCopyObject().(*Site)
	condition := metav1.Condition{
		Type: ready, Status: metav1.ConditionFalse, Reason: "ServersStarting",
		ObservedGeneration: site.Generation,
		Message:            fmt.Sprintf("%d of %d servers ready", servers.Status.ReadyReplicas, site.Spec.Replicas),
	}
	if servers.Status.ObservedGeneration == servers.Generation &&
		servers.Status.UpdatedReplicas == site.Spec.Replicas &&
		servers.Status.ReadyReplicas == site.Spec.Replicas {
		condition.Status, condition.Reason = metav1.ConditionTrue, "ServersReady"
	}
	site.Status.ObservedGeneration = site.Generation
	site.Status.ReadyReplicas = servers.Status.ReadyReplicas
	changed := meta.SetStatusCondition(&site.Status.Conditions, condition)
	if !changed && before.Status.ObservedGeneration == site.Generation &&
		before.Status.ReadyReplicas == site.Status.ReadyReplicas {
		return nil
	}
	return r.Status().Patch(ctx, site, client.MergeFrom(before))
}

// remove takes the Site out of the directory and lets it go; its objects go with it, as it owns them.
func (r *reconciler) remove(ctx context.Context, site *Site) error {
	if !controllerutil.ContainsFinalizer(site, finalizer) {
		return nil
	}
	if err := r.list(ctx, site, false); err != nil {
		return err
	}
	r.events.Eventf(site, nil, corev1.EventTypeNormal, "Removed", "Remove", "taken out of the directory")
	controllerutil.RemoveFinalizer(site, finalizer)
	return r.Update(ctx, site)
}

// list adds the Site to the directory or takes it out.
func (r *reconciler) list(ctx context.Context, site *Site, listed bool) error {
	sites := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: directory, Namespace: site.Namespace}}
	_, err := controllerutil.CreateOrUpdate(ctx, r.Client, sites, func() error {
		if sites.Data == nil {
			sites.Data = map[string]string{}
		}
		if listed {
			sites.Data[site.Name] = string(site.UID)
		} else {
			delete(sites.Data, site.Name)
		}
		return nil
	})
	return err
}

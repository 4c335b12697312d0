# Made from the code by `make generate`.
{{- define "hourglass-performer-operator.name" }}{{ .Values.nameOverride | default "hourglass-performer-operator" }}{{ end }}
{{- define "hourglass-performer-operator.fullname" }}{{ .Values.fullnameOverride | default (include "hourglass-performer-operator.name" .) }}{{ end }}
{{- define "hourglass-performer-operator.lease" }}{{ index .Values.settings "lease-name" | default "hourglass-performer-operator" }}{{ end }}
{{- define "hourglass-performer-operator.leaseNamespace" }}{{ index .Values.settings "lease-namespace" | default .Release.Namespace }}{{ end }}
